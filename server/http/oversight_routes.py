"""Oversight over HTTP: evidence for listed faults (R121), refusals to sample (R037).

For supervision and the head of the centre. Which faults there are, the city's rules say.
"""

from datetime import datetime, timedelta
from typing import Final

import msgspec
from aiohttp import web

from base.dates import is_near
from rules import catalogue as law
from rules.values import Fault
from server.http.operations import Operation
from server.http.problems import BadBody, json_response
from server.http.ticket_door import AUDITS
from server.http.ticket_family import TicketFamily
from tickets.law import refused
from tickets.oversight import (
    DoubtfulRating,
    Evidence,
    RefusalRate,
    SampledRefusal,
    Tracked,
    doubtful_ratings,
    evidence_of,
    refusal_rates,
    refusal_sample,
    tracked,
)
from tickets.refusals import OF_LAW

PERIOD: Final = timedelta(days=31)
MOST_SAMPLED: Final = 200
DURING: Final = {
    "from": "an instant; left out, a month before `until`",
    "until": "an instant; left out, now",
}


class FaultsListed(msgspec.Struct, frozen=True, kw_only=True):
    """The faults for which somebody answers here, and by which article."""

    faults: tuple[Fault, ...]
    article: str
    summary: str


class Refusals(msgspec.Struct, frozen=True, kw_only=True):
    """Who left out how much, and some to be looked into."""

    rates: list[RefusalRate]
    sample: list[SampledRefusal]


class OversightRoutes(TicketFamily):
    """/api/faults, /api/tracked, /api/doubtful-ratings, /api/refusals"""

    def operations(self) -> list[Operation]:
        return [
            Operation(
                method="GET",
                path="/api/faults",
                name="faults",
                says="The faults that this city's rules list",
                handler=self.faults,
                gives=FaultsListed,
                refuses=OF_LAW,
            ),
            Operation(
                method="GET",
                path="/api/faults/{fault}",
                name="evidence",
                says="Where evidence for a fault is to be found",
                handler=self.evidence,
                gives=list[Evidence],
                query=DURING,
                refuses=(*OF_LAW, BadBody),
            ),
            Operation(
                method="GET",
                path="/api/tracked",
                name="tracked",
                says="What goes on beyond reply and feedback, by law or promise",
                handler=self.tracked,
                gives=list[Tracked],
            ),
            Operation(
                method="GET",
                path="/api/doubtful-ratings",
                name="doubtful_ratings",
                says="Ratings that may be no honest ones; none is taken away",
                handler=self.ratings,
                gives=list[DoubtfulRating],
                query=DURING,
                refuses=(BadBody,),
            ),
            Operation(
                method="GET",
                path="/api/refusals",
                name="refusals",
                says="Who left out how much, and a sample to be looked into",
                handler=self.refusals,
                gives=Refusals,
                query={**DURING, "sample": f"how many, at most {MOST_SAMPLED}"},
                refuses=(BadBody,),
            ),
        ]

    async def faults(self, request: web.Request) -> web.Response:
        await self._door.who(request, AUDITS)
        given = (await self._orders.law_today(self._now())).ask(law.FAULTS)
        card = given.card
        return json_response(
            FaultsListed(faults=given.value, article=card.place, summary=card.summary)
        )

    async def evidence(self, request: web.Request) -> web.Response:
        _user, actor = await self._door.who(request, AUDITS)
        given = (await self._orders.law_today(self._now())).ask(law.FAULTS)
        fault = request.match_info["fault"]
        if fault not in {each.value for each in given.value}:
            raise refused(given, "no_fault_here")
        during = self._during(request)
        async with self._door.reading(request, actor) as connection:
            return json_response(await evidence_of(connection, Fault(fault), *during))

    async def tracked(self, request: web.Request) -> web.Response:
        _user, actor = await self._door.who(request, AUDITS)
        async with self._door.reading(request, actor) as connection:
            return json_response(await tracked(connection))

    async def ratings(self, request: web.Request) -> web.Response:
        _user, actor = await self._door.who(request, AUDITS)
        during = self._during(request)
        async with self._door.reading(request, actor) as connection:
            return json_response(await doubtful_ratings(connection, *during))

    async def refusals(self, request: web.Request) -> web.Response:
        _user, actor = await self._door.who(request, AUDITS)
        during = self._during(request)
        try:
            size = max(0, min(int(request.query.get("sample", "20")), MOST_SAMPLED))
        except ValueError as error:
            raise BadBody(reason="sample is a number") from error
        async with self._door.reading(request, actor) as connection:
            return json_response(
                Refusals(
                    rates=await refusal_rates(connection, *during),
                    sample=await refusal_sample(connection, *during, size),
                )
            )

    def _during(self, request: web.Request) -> tuple[datetime, datetime]:
        until = _instant(request, "until") or self._now()
        return _instant(request, "from") or until - PERIOD, until


def _instant(request: web.Request, name: str) -> datetime | None:
    given = request.query.get(name)
    if not given:
        return None
    try:
        read = datetime.fromisoformat(given.replace(" ", "+"))
    except ValueError as error:
        raise BadBody(reason=f"{name} is an instant") from error
    if read.tzinfo is None:
        raise BadBody(reason=f"{name} has no offset")
    if not is_near(read):
        raise BadBody(reason=f"{name} is not between 2000 and 2100")
    return read
