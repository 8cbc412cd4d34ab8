"""``./hotline bench NAME``: measures ours beside a reference and prints both.

The benches live in the source tree only; an installed wheel has none.
"""

import argparse
import importlib
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from base.errors import SetupError

if TYPE_CHECKING:
    from bench.harness import BenchResult, Figures


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "bench", help="measure ours beside a reference", description=_description()
    )
    parser.add_argument("name", metavar="NAME", help=", ".join(_benches()) or "none here")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="interleaved runs (≥ 5)")
    parser.add_argument("--scale", type=float, help="of the made data, 1: all (tickets, sweep)")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="keep the made data there")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and print; a missed aim is a figure, not a failure of the command."""
    module = _benches().get(args.name)
    if module is None:
        raise SetupError(
            f"there is no bench named {args.name}",
            fix=f"./hotline bench NAME, NAME one of: {', '.join(_benches()) or 'none'}",
        )
    measure = importlib.import_module(module).run
    result: BenchResult = measure(args.runs, **_of_the_data(args, measure))
    print(msgspec.json.encode(result).decode() if args.json else as_table(result))
    return 0


def _of_the_data(args: argparse.Namespace, measure: Callable[..., object]) -> dict[str, object]:
    """What is said of the data that a bench makes; refused where it makes none."""
    said = {name: getattr(args, name) for name in ("scale", "data")}
    given = {name: value for name, value in said.items() if value is not None}
    if not given.keys() <= inspect.signature(measure).parameters.keys():
        raise SetupError(f"{args.name} makes no data", fix="leave --scale and --data out")
    return given


def _benches() -> dict[str, str]:
    try:
        from bench import BENCHES
    except ModuleNotFoundError:
        return {}
    return BENCHES


def _description() -> str:
    return (
        "Measure ours beside a reference, taking turns, and print medians. The ratio is ours to "
        "the reference, the greater the better."
    )


def as_table(result: "BenchResult") -> str:
    """The figures for people's eyes."""
    ours, reference = _cases(result.ours), _cases(result.reference)
    lines = [f"{result.name}: {result.unit}, medians of {result.runs} interleaved runs"]
    lines += [f"  ours       {case:<32}{value:>14,.3f}" for case, value in ours.items()]
    lines += [f"  reference  {case:<32}{value:>14,.3f}" for case, value in reference.items()]
    aims = _cases(result.aim)
    for case, ratio in _cases(result.ratio).items():
        aim = f"aim ≥ {aims[case]:g}" if case in aims else "no aim"
        missed = "  MISSED" if case in result.missed else ""
        lines.append(f"  ratio      {case:<32}{ratio:>14.3f}  {aim}{missed}")
    machine, load = result.machine, result.load
    lines.append(f"  on {machine.cpu}, {machine.cores} cores, Python {machine.python};")
    lines.append(f"  load {load.before:g} before, {load.after:g} after")
    return "\n".join([*lines, *(f"  {note}" for note in result.notes)])


def _cases(figures: "Figures") -> dict[str, float]:
    return figures if isinstance(figures, dict) else {"": figures}
