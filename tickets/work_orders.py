"""Moves carried out on PostgreSQL: one transaction, one winner, one ledger entry, its messages.

Owns writing the difference that a decision made, and the lock against two
at once: the row is changed only in the version that was decided on, and the other is told
(``ticket_version_conflict``). A reminder is no such other: it changes nobody's rights, so what was
decided before it is decided once more, not refused. Decides nothing itself: that is
``tickets.decision``.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec
import structlog

from base.database import Connection, Database, storable
from base.ids import TicketId, UnitId
from rules import catalogue as law
from rules.calendar import Calendar
from rules.worktime import local_date
from tickets import moves as m
from tickets.acts.scene import Scene
from tickets.beginning import Beginning, facts_of, keep_timers, rests_on
from tickets.decision import Moved, Setting, decide_move, law_of
from tickets.due import DueTimes
from tickets.facts import Actor, ActorRole, TicketFacts
from tickets.intake import WITHHELD, Demand, pack_id
from tickets.law import Law
from tickets.lifecycle import check_visible
from tickets.messages import post_messages
from tickets.moves import Move, Share, SplitDemand
from tickets.new_ticket import insert_demand, texts_sha256
from tickets.packs import Packs
from tickets.public_moves import Subscriber, tell_subscribers
from tickets.records import ContactAttempt, Rating, Refusal
from tickets.refusals import LostRace, TicketUnseen
from tickets.store import SQL, append_to_ledger
from tickets.suggesting import Proposal, proposals
from tickets.unit_store import organisation_around, organisation_at

log = structlog.get_logger(__name__)

_SEES_ALL_LANES = frozenset({ActorRole.SUPERVISOR, ActorRole.SYSTEM, ActorRole.CALLER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A move that was carried out."""

    facts: TicketFacts
    siblings: tuple[TicketFacts, ...] = ()
    """Tickets that came of it."""


class WorkOrders:
    """The tickets of one city."""

    def __init__(
        self,
        database: Database,
        packs: Packs,
        calendar: Callable[[], Calendar],
        subscribers: Sequence[Subscriber] = (),
    ) -> None:
        """``subscribers``: whom the public moves are told to."""
        self._subscribers = subscribers
        self._database = database
        self._packs = packs
        self._calendar = calendar
        self._beginning = Beginning(packs=packs, calendar=calendar)

    async def register(self, demand: Demand, by: Actor, at: datetime) -> TicketFacts:
        """Make the ticket of a demand; the same message of a channel twice makes one."""
        async with self._database.transaction() as connection:
            return await self.register_within(connection, demand, by, at)

    async def register_within(
        self, connection: Connection, demand: Demand, by: Actor, at: datetime
    ) -> TicketFacts:
        """As ``register``, inside somebody's transaction."""
        # Who enters a locked ticket sees it until the transaction ends.
        await connection.execute(SQL["open_locked_lanes"])
        the_law = await self._beginning.law(connection, at)
        return await self._begin(connection, demand, by, at, the_law)

    async def _begin(
        self,
        connection: Connection,
        demand: Demand,
        by: Actor,
        at: datetime,
        the_law: Law,
        contact: str | None = None,
    ) -> TicketFacts:
        """The ticket as it begins, with its cards and what it waits for."""
        pack, cards = pack_id(the_law.pack), rests_on(demand, the_law)
        ticket = await insert_demand(
            connection, demand, by.user, at, pack, contact=contact, cards=cards
        )
        facts = await facts_of(connection, ticket)
        if demand.is_urgent:
            await self._beginning.wait(connection, facts)
        return facts

    async def law_of(self, facts: TicketFacts) -> Law:
        """What a ticket lives under; one from before packs is asked about under today's."""
        async with self._database.transaction() as connection:
            if facts.pack.name:
                return law_of(facts, await self._packs.of(connection, facts.pack))
            return Law(await self._packs.for_new(connection), local_date(facts.created_at))

    async def law_today(self, at: datetime) -> Law:
        """What a ticket that began now would live under."""
        async with self._database.transaction() as connection:
            return Law(await self._packs.for_new(connection), local_date(at))

    async def facts(self, ticket: TicketId, by: Actor) -> TicketFacts:
        """A ticket as the life-cycle sees it; ``TicketUnseen`` where it is not for ``by``."""
        async with self._database.transaction() as connection:
            await open_lanes(connection, by)
            facts = await facts_of(connection, ticket)
        is_hidden = by.unit is not None and not facts.is_seen_by(by.unit)
        if is_hidden or by.user in facts.recused_users:
            raise TicketUnseen
        return facts

    async def proposals(self, ticket: TicketId, by: Actor, at: datetime) -> list[Proposal]:
        """Units that a dispatcher may think of, with their reasons."""
        facts = await self.facts(ticket, by)
        the_law = await self.law_of(facts)
        async with self._database.transaction() as connection:
            tree = await organisation_at(connection, at)
            topic = await connection.fetchval(SQL["topic_of_ticket"], uuid.UUID(ticket))
        scene = Scene(
            facts=facts,
            actor=by,
            law=the_law,
            dues=DueTimes(self._calendar()),
            units=tree,
            at=at,
        )
        return proposals(scene, topic or "")

    async def id_of(self, number: str) -> TicketId:
        async with self._database.transaction() as connection:
            await connection.execute(SQL["open_locked_lanes"])
            found = await connection.fetchval(SQL["id_of_number"], storable(number))
        if found is None:
            raise TicketUnseen
        return TicketId(found)

    async def move(
        self,
        ticket: TicketId,
        move: Move,
        by: Actor,
        at: datetime,
        *,
        expected_version: int | None = None,
    ) -> Done:
        """Carry out one move, wholly or not at all."""
        async with self._database.transaction() as connection:
            await open_lanes(connection, by)
            done = await self.move_within(
                connection, ticket, move, by, at, expected_version=expected_version
            )
        log.info(
            "ticket_moved",
            ticket=done.facts.number,
            move=move.__struct_config__.tag,
            state=done.facts.state.value,
        )
        return done

    async def move_within(
        self,
        connection: Connection,
        ticket: TicketId,
        move: Move,
        by: Actor,
        at: datetime,
        *,
        expected_version: int | None = None,
    ) -> Done:
        """As ``move``, inside somebody's transaction."""
        while True:
            before = await facts_of(connection, ticket)
            check_visible(before, by)  # before a version is told
            if expected_version is not None:
                await _must_stand(connection, before, expected_version)
            if not before.pack.name:  # from before packs: the first move adopts today's
                before = replace(before, pack=pack_id(await self._packs.for_new(connection)))
            setting = Setting(
                pack=await self._packs.of(connection, before.pack),
                dues=DueTimes(self._calendar()),
                units=await organisation_around(connection, _units_of(before, move, by), at),
                at=at,
            )
            moved = decide_move(before, move, by, setting)
            if await _take(connection, moved.facts, before.version):
                break
            # Somebody was faster since it was read: a reminder lets it be decided anew.
            expected_version = before.version
        await _write(connection, before, moved, by, at)
        await tell_subscribers(
            connection, before, moved.facts, moved.entry.action, at, self._subscribers
        )
        siblings = [
            await self._split_off(connection, before, each, by, setting) for each in moved.siblings
        ]
        return Done(facts=moved.facts, siblings=tuple(siblings))

    async def _split_off(
        self,
        connection: Connection,
        parent: TicketFacts,
        part: SplitDemand,
        by: Actor,
        setting: Setting,
    ) -> TicketFacts:
        """A demand of the same contact becomes a ticket of its own (R022)."""
        row = await connection.fetchrow(SQL["texts_of_ticket"], parent.id)
        assert row is not None
        inherited = dict(row)
        topic = part.topic or inherited.pop("topic")
        inherited.pop("topic", None)
        demand = msgspec.convert(
            {
                **inherited,
                "topic": topic,
                "type": part.type,
                "demand": part.demand,
                "content": part.content,
                "urgency": part.urgency,
                "matter": part.matter,
                "region": parent.region,
                "domain": parent.domain,
                "wants_reply": parent.wants_reply,
                "is_confidential": parent.is_confidential,
                "accused_units": sorted(parent.accused_units),
                "accused_people": parent.accused_people,
            },
            Demand,
        )
        the_law = Law(setting.pack, local_date(setting.at))
        the_law.ask_if_given(law.SPLIT)
        return await self._begin(
            connection, demand, by, setting.at, the_law, contact=parent.contact
        )


async def open_lanes(connection: Connection, by: Actor) -> None:
    if by.roles & _SEES_ALL_LANES:
        await connection.execute(SQL["open_locked_lanes"])
    elif ActorRole.HEAD in by.roles:
        await connection.execute(SQL["open_staff_complaints"])


async def open_to_read(connection: Connection, by: Actor) -> None:
    """As ``open_lanes``, and what is hidden from ``by`` themselves takes no place in a list."""
    await open_lanes(connection, by)
    await connection.execute(SQL["read_for"], by.user)


def _units_of(facts: TicketFacts, move: Move, by: Actor) -> Iterator[UnitId]:
    """The units that the decision may look at; those above them come along."""
    if by.unit is not None:
        yield by.unit
    yield from facts.accused_units
    if isinstance(move, m.Amend):
        yield from move.accused_units or ()
        yield from (each.unit for each in facts.assignments if each.is_held)
    for name in ("unit", "decided_unit"):
        named: UnitId | None = getattr(move, name, None)
        if named is not None:
            yield named
    shares: Iterable[UnitId | Share] = getattr(move, "units", ())
    for share in shares:
        yield share.unit if isinstance(share, Share) else share


async def _must_stand(connection: Connection, now: TicketFacts, version: int) -> None:
    """Whoever decided on an older version is told; a reminder since then changed nothing."""
    if now.version == version:
        return
    if now.version < version or await connection.fetchval(
        SQL["is_moved_since"], uuid.UUID(now.id), version, m.tag_of(m.Remind)
    ):
        raise LostRace(version=now.version)


async def _take(connection: Connection, after: TicketFacts, version: int) -> bool:
    """Change the ticket's row, if it still is in that version."""
    row = _ticket_row(after)
    return await connection.fetchval(SQL["update_ticket"], row, version) is not None


async def _write(
    connection: Connection, before: TicketFacts, moved: Moved, by: Actor, at: datetime
) -> None:
    """What was decided, beside the ticket's own row."""
    after = moved.facts
    await _write_children(connection, before, after)
    for record in moved.records:
        row = {"ticket_id": after.id, "version": after.version, **_plain(record)}
        await connection.execute(SQL[_INSERTS[type(record)]], row)
    if moved.withholds_content:
        await connection.execute(SQL["withhold_texts"], after.id, WITHHELD)
    body = {**moved.entry.body, **await _amend_texts(connection, moved, by, at)}
    await keep_timers(connection, after.id, moved.timers)
    await append_to_ledger(
        connection,
        after.id,
        at=at,
        actor=by.user,
        action=moved.entry.action,
        reason=moved.entry.reason,
        article=moved.entry.article,
        body=body,
    )
    await post_messages(connection, after.id, after.number, after.version, moved.messages)


async def _amend_texts(
    connection: Connection, moved: Moved, by: Actor, at: datetime
) -> dict[str, object]:
    """The new texts in, the former ones beside; for the ledger, what binds it to the new ones."""
    if not moved.texts:
        return {}
    texts = {name: storable(text) for name, text in moved.texts.items()}
    ticket, version = uuid.UUID(moved.facts.id), moved.facts.version
    await connection.execute(SQL["amend_texts"], ticket, version, texts, by.user, at)
    row = await connection.fetchrow(SQL["bound_texts"], ticket)
    assert row is not None
    return {"texts_sha256": texts_sha256(dict(row))}


_INSERTS = {
    ContactAttempt: "insert_contact_attempt",
    Refusal: "insert_refusal",
    Rating: "insert_rating",
}


async def _write_children(connection: Connection, before: TicketFacts, after: TicketFacts) -> None:
    for statement, old, new in (
        ("put_assignments", before.assignments, after.assignments),
        ("put_requests", before.requests, after.requests),
        ("put_follow_ups", before.follow_ups, after.follow_ups),
        ("put_explanations", before.explanations, after.explanations),
        ("put_consults", before.consults, after.consults),
        ("put_doubts", before.doubts, after.doubts),
    ):
        known = set(old)
        changed = [{"ticket_id": after.id, **_plain(each)} for each in new if each not in known]
        if changed:
            await connection.execute(SQL[statement], changed)


def _ticket_row(facts: TicketFacts) -> dict[str, object]:
    """The facts by the names of the table's columns."""
    row = _plain(facts)
    pack = facts.pack
    return {
        **row,
        "confidential": facts.is_confidential,
        "pack_name": pack.name,
        "pack_version": pack.version,
        "pack_hash": pack.hash,
    }


def _plain(value: object) -> dict[str, object]:
    plain: dict[str, object] = msgspec.to_builtins(value)
    return plain
