"""The report: the figures of an interval, with the definition of each, for leaders."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Final

from aiohttp import web

from base.database import Database, storable
from base.dates import is_near
from base.ids import AgentId
from insight.facts import Interval
from insight.figures import Figures
from insight.measures import AGENT, CALLS, STAFF, Measure, Values
from insight.store import EventLog, IntervalUnfit
from server.http.identity import Identity
from server.http.problems import json_response
from server.records.staff import Staff

BYTE_ORDER_MARK: Final = "\ufeff"
"""Without it spreadsheets take the Chinese for something else."""
HEADINGS: Final = ("从", "至", "范围", "对象")
BELOW_HEADINGS: Final = ("", "", "", "口径")
OF_ALL, OF_A_QUEUE, OF_AN_AGENT = "全部", "队列", "坐席"
"""The scopes in the spreadsheet."""


class FigureRoutes:
    """/api/figures and /api/figures.csv"""

    def __init__(
        self, identity: Identity, database: Database, titles: Mapping[str, str] | None = None
    ) -> None:
        self._identity = identity
        self._titles = titles or {}
        """Of the queues."""
        self._log = EventLog(database)
        self._staff = Staff(database)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/figures", self.figures),
            web.get("/api/figures.csv", self.table),
            web.get("/api/staff", self.staff),
        ]

    async def figures(self, request: web.Request) -> web.Response:
        """``from``, ``to``: ISO 8601 with an offset; ``queue``: one queue's calls alone."""
        found = await self._count(request)
        return json_response(
            {
                "figures": asdict(found),
                "names": await self._staff.names(),
                "queues": self._titles,
                "measures": {"calls": said(CALLS), "staff": said(STAFF), "agent": said(AGENT)},
            }
        )

    async def table(self, request: web.Request) -> web.Response:
        """The same as a table, a row for all calls, each queue and each agent."""
        found = await self._count(request)
        text = as_csv(found, await self._staff.names(), self._titles)
        return web.Response(
            body=(BYTE_ORDER_MARK + text).encode(),
            content_type="text/csv",
            charset="utf-8",
            headers={
                "Cache-Control": "no-store",
                "Content-Disposition": 'attachment; filename="figures.csv"',
            },
        )

    async def staff(self, request: web.Request) -> web.Response:
        """The agents' names, for the wall: the bridge does not know them."""
        await self._identity.leader(request)
        return json_response({"names": await self._staff.names()})

    async def _count(self, request: web.Request) -> Figures:
        await self._identity.leader(request)
        interval = Interval(_instant(request, "from"), _instant(request, "to"))
        queue = storable(request.query.get("queue", ""))[:64] or None
        return (await self._log.count(interval, queue=queue)).figures()


def _instant(request: web.Request, name: str) -> datetime:
    """An instant, and nothing that has not come yet."""
    try:
        at = datetime.fromisoformat(request.query.get(name, ""))
    except ValueError as error:
        raise IntervalUnfit(parameter=name) from error
    if at.tzinfo is None or not is_near(at):
        raise IntervalUnfit(parameter=name)
    return min(at.astimezone(UTC), datetime.now(UTC))


def said(measures: Iterable[Measure]) -> list[dict[str, object]]:
    """The definitions as the page prints them beside the figures."""
    return [
        {
            "code": each.code,
            "name": each.name,
            "unit": each.unit,
            "formula": each.formula,
            "goal": each.goal,
            "source": each.source,
        }
        for each in measures
    ]


def as_csv(found: Figures, names: Mapping[AgentId, str], titles: Mapping[str, str]) -> str:
    """Chinese headings with the formula below, then the rows."""
    measures = list({each.code: each for each in (*CALLS, *STAFF, *AGENT)}.values())
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*HEADINGS, *(each.name for each in measures)])
    writer.writerow([*BELOW_HEADINGS, *(each.formula for each in measures)])
    for scope, whose, values in _rows(found, names, titles):
        cells = [values.get(each.code) for each in measures]
        interval = [found.start_at.isoformat(), found.end_at.isoformat()]
        writer.writerow([*interval, scope, whose, *("" if c is None else c for c in cells)])
    return out.getvalue()


def _rows(
    found: Figures, names: Mapping[AgentId, str], titles: Mapping[str, str]
) -> Iterator[tuple[str, str, Values]]:
    yield OF_ALL, "", {**found.total, **found.staff}
    for queue, values in found.queues.items():
        yield OF_A_QUEUE, _safe(titles.get(queue, queue)), values
    for agent, values in found.agents.items():
        yield OF_AN_AGENT, _safe(f"{agent} {names.get(agent, '')}".strip()), values


def _safe(text: str) -> str:
    """A spreadsheet takes a text that begins like a formula for one."""
    return f"'{text}" if text[:1] in "=+-@\t" else text
