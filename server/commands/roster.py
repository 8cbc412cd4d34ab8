"""``hotline roster``: the shift plan, and whether somebody was there at every hour (R003).

``check`` reads the plan alone; ``report`` compares it with the log of the agents' steps. Both end
with 1 where an hour is without anybody.
"""

import argparse
import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from base.database import DatabaseUnavailable, connect
from base.errors import SetupError
from base.ids import AgentId
from base.sql_files import load_sql
from routing.hours import LOCAL, minute_of_week
from routing.roster import Step, Stretch, at_work, hours_without_anybody, planned, without_anybody
from server.connections import database_url
from server.queue_file import plan_of
from server.settings import Settings
from server.settings_loader import load_settings

SQL: Final = load_sql(Path(__file__).parents[1] / "sql" / "roster")
MOST_DAYS: Final = 400


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("roster", help="the shift plan, and who was really there")
    verbs = parser.add_subparsers(dest="roster_verb", metavar="ACTION", required=True)
    check = verbs.add_parser("check", help="hours of the week for which nobody is planned")
    check.set_defaults(run=_check)
    report = verbs.add_parser("report", help="hours in which nobody was there")
    report.add_argument("--days", type=int, default=7, help="up to now; 7 unless given")
    report.set_defaults(run=_report)
    for each in (check, report):
        each.add_argument("--json", action="store_true")


def _check(args: argparse.Namespace) -> int:
    plan = plan_of(load_settings())
    if not plan.shifts:
        raise SetupError("no shift is planned", fix="add [[shift]] to the file of queues")
    gaps = [[minute_of_week(a), minute_of_week(b)] for a, b in plan.coverage_gaps()]
    if args.json:
        print(json.dumps({"gaps": gaps}))
    elif gaps:
        print("nobody is planned:\n" + "\n".join(f"  {a} – {b}" for a, b in gaps))
    else:
        print("somebody is planned for every minute of the week")
    return 1 if gaps else 0


def _report(args: argparse.Namespace) -> int:
    if not 1 <= args.days <= MOST_DAYS:
        raise SetupError(f"--days is {args.days}", fix=f"choose 1 to {MOST_DAYS}")
    settings = load_settings()
    end = datetime.now(UTC)
    begin = end - timedelta(days=args.days)
    absences = asyncio.run(_absences(settings, begin, end))
    hours = hours_without_anybody(absences)
    if args.json:
        print(json.dumps(_as_json(settings, begin, end, absences, hours), ensure_ascii=False))
        return 1 if hours else 0
    print(f"{_clock(begin)} – {_clock(end)}: {len(hours)} hours with a moment without anybody")
    for absence in absences:
        due = ", ".join(sorted(planned(plan_of(settings), absence.begin))) or "nobody planned"
        print(f"  {_clock(absence.begin)} – {_clock(absence.end)}  ({due})")
    return 1 if hours else 0


async def _absences(settings: Settings, begin: datetime, end: datetime) -> list[Stretch]:
    try:
        owner = await connect(database_url(settings, "owner"), name="hotline roster")
    except DatabaseUnavailable as error:
        raise SetupError("the database does not answer", fix="./hotline up") from error
    try:
        rows = await owner.fetch(SQL["agent_steps"], begin, end)
    finally:
        await owner.close()
    steps = [Step(AgentId(row["agent"]), row["at"], row["event"], row["new"]) for row in rows]
    return without_anybody(at_work(steps, begin, end), begin, end)


def _as_json(
    settings: Settings,
    begin: datetime,
    end: datetime,
    absences: list[Stretch],
    hours: list[datetime],
) -> dict[str, object]:
    plan = plan_of(settings)
    return {
        "begin": begin.isoformat(),
        "end": end.isoformat(),
        "hours": [hour.isoformat() for hour in hours],
        "absences": [
            {
                "begin": absence.begin.isoformat(),
                "end": absence.end.isoformat(),
                "planned": sorted(planned(plan, absence.begin)),
            }
            for absence in absences
        ],
    }


def _clock(at: datetime) -> str:
    return at.astimezone(LOCAL).strftime("%m-%d %H:%M")
