"""``hotline coverage``: what the marked tests prove, and what of the packs they would notice.

``requirements`` runs the marked tests. ``mutations`` changes each value of a city's pack, one at a
time, and runs those of them again that ask for it: what no test notices survives and is printed,
unless ``tests/unnoticed.tsv`` says why none need. It takes about half an hour; a few packs or
rules alone (``--only``) take minutes.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import msgspec

from base.errors import SetupError
from server.commands.test import run_pytest
from server.commands.up import say
from server.coverage import (
    Coverage,
    MarkedTest,
    MutationOutcome,
    judge,
    measure,
    read_requirements,
    read_unnoticed,
)
from server.settings_loader import load_settings
from server.setup.steps import prepare_for_tests

MUTATIONS_VARIABLE = "PACK_MUTATIONS_REPORT"
ONLY_VARIABLE = "PACK_MUTATIONS_ONLY"
MUTATED_TESTS = ("tests/integration/tickets", "tests/unit")
"""The marked tests that ask a pack; those on real telephones ask none."""
REPORT_VARIABLE = "HOTLINE_REQUIREMENTS_REPORT"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("coverage", help="what of the requirements the tests prove")
    parser.add_argument("what", choices=["requirements", "mutations"])
    parser.add_argument("--json", action="store_true")
    parser.add_argument(
        "--only", metavar="PACK[/RULE],…", default="", help="of the mutations, these alone"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    prepare_for_tests(load_settings(), say)
    if args.what == "mutations":
        return _mutations(args.only, as_json=args.json)
    coverage = measure(read_requirements(), _run_marked_tests())
    if args.json:
        print(msgspec.json.encode(coverage).decode())
    else:
        _print_table(coverage)
    return 0


def _run_marked_tests() -> list[MarkedTest]:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        # stdout is ours: pytest's own words go to stderr.
        code = run_pytest(
            ["-q", "-m", "requirement", "-p", "tests.plugins.requirements_report"],
            extra={REPORT_VARIABLE: str(report)},
            stdout=sys.stderr.fileno(),
        )
        if not report.exists():
            raise SetupError(
                f"the tests did not run (pytest ended with {code})", fix="./hotline test"
            )
        return msgspec.json.decode(report.read_bytes(), type=list[MarkedTest])


def _mutations(only: str, *, as_json: bool) -> int:
    """1 where a value could be wrong and no marked test would notice."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        run_pytest(
            ["-q", "-m", "requirement", "-p", "tests.plugins.pack_mutations", *MUTATED_TESTS],
            extra={MUTATIONS_VARIABLE: str(report), ONLY_VARIABLE: only},
            stdout=sys.stderr.fileno(),
        )
        if not report.exists():
            raise SetupError("a marked test fails as it is", fix="./hotline coverage requirements")
        outcomes = msgspec.json.decode(report.read_bytes(), type=list[MutationOutcome])
    found = judge(outcomes, read_unnoticed())
    if as_json:
        print(msgspec.json.encode(outcomes).decode())
    else:
        for each in found.survivors:
            print(each.as_line())
        for needless in found.needless:
            print(f"noticed after all: {needless.pack} {needless.rule} {needless.part}")
        counts = f"{found.noticed} of {len(outcomes)} changed values noticed"
        print(f"{counts}, {found.excused} need not be")
    return 1 if found.survivors or found.needless else 0


def _print_table(coverage: Coverage) -> None:
    requirements = read_requirements()
    proven = set(coverage.proven)
    for requirement in requirements.values():
        for entry in requirement.entries:
            state = "proven" if entry in proven else "–"
            print(f"{entry:<24} {state:<7} {requirement.summary}")
    total = len(proven) + len(coverage.unproven)
    print(f"{len(proven)} of {total} proven")
