"""``hotline packs decide`` and ``simulate``: packs asked about facts; nothing is changed."""

import argparse
from datetime import date
from pathlib import Path

import msgspec

from base.errors import SetupError
from rules.catalogue import RULES
from rules.pack import FactMissingError, RuleNotGivenError
from rules.simulate import Case, Outcome, State, simulate
from rules.worktime import LOCAL
from server.calendars import current_calendar
from server.clock_facts import fact_from
from server.packs import find_pack, print_json, short
from server.settings_loader import load_settings

NOT_GIVEN = 3
"""Exit code where the pack refuses, so that a script can tell it from a mistake."""


def add_parsers(kinds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    decide = kinds.add_parser("decide", help="ask a pack one thing, with the facts it hangs on")
    decide.add_argument("pack", metavar="PACK", help="a pack's id, or a file")
    decide.add_argument("rule", metavar="RULE")
    decide.add_argument("--fact", metavar="NAME=VALUE", action="append", default=[])
    decide.add_argument("--on", metavar="DATE", help="the day the ticket began")
    decide.set_defaults(run=_decide)
    simulation = kinds.add_parser("simulate", help="the same tickets under two packs")
    simulation.add_argument("file", metavar="FILE", type=Path, help="JSON: a list of cases")
    simulation.add_argument("--pack", metavar="A", required=True)
    simulation.add_argument("--against", metavar="B", required=True)
    simulation.set_defaults(run=_simulate)
    for each in (decide, simulation):
        each.add_argument("--json", action="store_true")


def _decide(args: argparse.Namespace) -> int:
    pack = find_pack(args.pack)
    if args.rule not in RULES:
        raise SetupError(f"no rule is called {args.rule}", fix="./hotline packs rules")
    facts = dict(map(fact_from, args.fact))
    try:
        decision = pack.decide(args.rule, facts, on=_day(args.on))
    except (RuleNotGivenError, FactMissingError) as error:
        return _refuse(error, as_json=args.json)
    if args.json:
        print_json(decision)
        return 0
    card = decision.card
    print(f"{decision.force} {short(decision.value)}\n  {card.place}  {card.summary}")
    print(f"  facts {short(card.facts)}, {card.origin}, {card.pack} {card.version}")
    return 0


def _refuse(error: RuleNotGivenError | FactMissingError, *, as_json: bool) -> int:
    card = error.card if isinstance(error, RuleNotGivenError) else None
    if as_json:
        print_json({"code": error.code, "params": error.params, "card": card})
    else:
        print(f"{error}{f': {card.place} {card.summary}' if card else ''}")
    return NOT_GIVEN


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise SetupError(f"{text} is no day", fix="--on YYYY-MM-DD") from None


def _simulate(args: argparse.Namespace) -> int:
    pack, against = find_pack(args.pack), find_pack(args.against)
    try:
        cases = msgspec.json.decode(args.file.read_bytes(), type=list[Case])
    except (OSError, msgspec.DecodeError) as error:
        raise SetupError(f"{args.file}: {error}", fix="docs/RULES.md shows such a file") from error
    result = simulate(cases, pack, against, current_calendar(load_settings().home))
    if args.json:
        print_json(result)
        return 0
    print(f"{result.pack} against {result.against}")
    print(f"{result.cases_that_differ} of {result.cases} cases differ")
    for rule, count in result.by_rule.items():
        print(f"  {count:>6}  {rule}")
    for each in result.differences:
        print(f"{each.case}  {each.rule}: {_told(each.under)} | {_told(each.against)}")
    return 0


def _told(outcome: Outcome) -> str:
    if outcome.state is not State.ANSWERED:
        return " ".join(filter(None, [outcome.state, outcome.fact]))
    due = f" due {outcome.due_at.astimezone(LOCAL):%Y-%m-%d %H:%M}" if outcome.due_at else ""
    return f"{outcome.force} {short(outcome.value)}{due}"
