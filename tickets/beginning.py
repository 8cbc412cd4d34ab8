"""How a ticket begins, by whatever way it came: under which law, by which cards, waiting for what.

An urgent ticket should have left the centre soon after it was registered: it waits from then on,
not from its first move. Inside the transaction that makes the ticket.
"""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

import msgspec

from base.database import Connection
from base.ids import TicketId
from rules import catalogue as law
from rules.article import ArticleCard
from rules.calendar import Calendar
from rules.worktime import local_date
from tickets.decision import law_of
from tickets.due import DueTimes
from tickets.facts import TicketFacts
from tickets.intake import Demand
from tickets.law import Law
from tickets.packs import Packs
from tickets.refusals import TicketUnseen
from tickets.store import SQL
from tickets.timers import Timer, timers_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """The law of a city's new tickets and the calendar that their clocks go by."""

    packs: Packs
    calendar: Callable[[], Calendar]

    async def law(self, connection: Connection, at: datetime) -> Law:
        """What a ticket that begins now lives under."""
        return Law(await self.packs.for_new(connection), local_date(at))

    async def wait(self, connection: Connection, facts: TicketFacts) -> None:
        """Begin what an urgent ticket waits for."""
        the_law = law_of(facts, await self.packs.of(connection, facts.pack))
        waits = timers_of(facts, the_law, DueTimes(self.calendar()))
        await keep_timers(connection, facts.id, waits)


def rests_on(demand: Demand, the_law: Law) -> list[ArticleCard]:
    """Cards of what the caller was told and gave: the truth, and their own name (R016)."""
    if demand.is_truth_notice_given:
        the_law.ask_if_given(law.TRUTH_NOTICE)
    if demand.caller_name.strip():
        the_law.ask_if_given(law.REAL_NAME)
    return the_law.relied


async def facts_of(connection: Connection, ticket: TicketId) -> TicketFacts:
    """A ticket as the life-cycle sees it, as far as the transaction does."""
    found = await connection.fetchval(SQL["facts_of_ticket"], uuid.UUID(ticket))
    if found is None:
        raise TicketUnseen
    return msgspec.convert(found, TicketFacts)


async def keep_timers(connection: Connection, ticket: TicketId, timers: Iterable[Timer]) -> None:
    """Make the table wait for exactly these."""
    wanted = [msgspec.to_builtins(timer) for timer in sorted(timers)]
    await connection.execute(SQL["drop_timers"], ticket, wanted)
    if wanted:
        await connection.execute(SQL["add_timers"], uuid.UUID(ticket), wanted)
