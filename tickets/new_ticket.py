"""A demand becomes a ticket: its number, its row, its first ledger entry, in one transaction.

Owns what is common to every way in: a call's confirmed draft (``tickets.registration``) and any
other channel's message. The same message of a channel gives the same ticket again.
"""

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

import asyncpg
import msgspec
import structlog

from base.database import Connection, storable
from base.ids import TicketId, UserId
from rules.article import ArticleCard
from tickets.acts.scene import CALLER, Message
from tickets.facts import PackId
from tickets.intake import WITHHELD, Demand
from tickets.law import places_of
from tickets.ledger import canonical_json
from tickets.messages import post_messages
from tickets.store import SQL, append_to_ledger
from tickets.ticket import TITLE_CHARACTERS, Lane, TicketRefused, TicketState

log = structlog.get_logger(__name__)

_SHANGHAI = ZoneInfo("Asia/Shanghai")
REGISTERED = "registered"
TEXTS = (
    "title",
    "content",
    "demand",
    "place",
    "occurred",
    "caller_name",
    "caller_number",
    "contact_number",
)
"""What was said, and by whom."""
NO_MORE: Mapping[str, object] = MappingProxyType({})


class UnknownFormer(TicketRefused):
    """There is no former ticket of that number."""

    code = "ticket_former_unknown"


class UnknownAccused(TicketRefused):
    """No unit has that code; nothing would keep the demand from whom it accuses."""

    code = "ticket_accused_unknown"


class UnknownStaff(TicketRefused):
    """Nobody here is called that: by the name they sign in with."""

    code = "ticket_staff_unknown"


class CallHasTicket(TicketRefused):
    """This call has its ticket already; what else was asked in it is split off from that one."""

    code = "ticket_call_has_one"
    http_status = 409


OF_DEMANDS: Final = (UnknownFormer, UnknownAccused, UnknownStaff, CallHasTicket)
"""What a demand may be refused with."""


async def insert_demand(
    connection: Connection,
    demand: Demand,
    by: UserId,
    at: datetime,
    pack: PackId,
    *,
    contact: str | None = None,
    cards: Sequence[ArticleCard] = (),
) -> TicketId:
    """The ticket of a demand from any channel, inside the caller's transaction.

    The same message of a channel gives the same ticket again. ``contact``: that of the ticket it is
    split from. ``cards``: what of the city's rules registration rests on.
    """
    if demand.message:
        await connection.execute(SQL["lock_message"], demand.channel.value, demand.message)
        known = await connection.fetchval(
            SQL["ticket_of_message"], demand.channel.value, demand.message
        )
        if known is not None:
            return TicketId(known)
    if demand.call is not None and demand.lane is Lane.ORDINARY:
        await connection.execute(SQL["lock_call"], demand.call)
        known = await connection.fetchrow(SQL["ticket_of_call"], demand.call)
        if known is not None:
            raise CallHasTicket(number=known["number"])
    former = await _former(connection, demand)
    row = await insert_ticket(
        connection,
        demand,
        by=by,
        at=at,
        pack=pack,
        draft={},
        contact=contact,
        former=former,
        cards=cards,
    )
    log.info("ticket_registered", ticket=row["number"], channel=demand.channel.value)
    return TicketId(str(row["id"]))


async def _former(connection: Connection, demand: Demand) -> TicketId | None:
    if not demand.former:
        return None
    found = await connection.fetchval(
        SQL["former_of_number"], storable(demand.former), demand.lane.value
    )
    if found is None:
        raise UnknownFormer(number=demand.former)
    return TicketId(found)


async def insert_ticket(
    connection: Connection,
    demand: Demand,
    *,
    by: UserId,
    at: datetime,
    pack: PackId,
    draft: Mapping[str, object],
    contact: str | None = None,
    former: TicketId | None = None,
    cards: Sequence[ArticleCard] = (),
    more: Mapping[str, object] = NO_MORE,
) -> asyncpg.Record:
    """Number, ticket and first ledger entry."""
    number = await _next_number(connection, at)
    ticket = str(uuid.uuid4())
    texts = texts_of(demand)
    about = (
        None
        if demand.staff is None
        else await connection.fetchval(SQL["person_of_staff"], demand.staff)
    )
    unknown = await connection.fetch(SQL["unknown_units"], demand.accused_units)
    if unknown:
        raise UnknownAccused(units=[row["code"] for row in unknown])
    if demand.staff is not None and about is None:
        raise UnknownStaff(staff=demand.staff)
    row = await connection.fetchrow(
        SQL["insert_ticket"],
        {
            **texts,
            "id": ticket,
            "number": number,
            "call_id": demand.call,
            "channel": demand.channel,
            "message": demand.message or None,
            "type": demand.type,
            "topic": demand.topic,
            "domain": demand.domain,
            "region": demand.region,
            "urgency": demand.urgency,
            "matter": demand.matter,
            "lane": demand.lane,
            "staff": demand.staff,
            "wants_reply": demand.wants_reply,
            "confidential": demand.is_confidential,
            "is_reachable": demand.is_reachable,
            "is_truth_notice_given": demand.is_truth_notice_given,
            "accused_units": demand.accused_units,
            "accused_people": demand.accused_people,
            # Whom it is about neither sees nor settles it (R017).
            "recused_users": [] if about is None else [str(about)],
            "former": former,
            "contact": contact,
            "state": TicketState.REGISTERED,
            "draft": draft,
            "created_by": by,
            "created_at": at,
            "pack_name": pack.name,
            "pack_version": pack.version,
            "pack_hash": pack.hash,
        },
    )
    assert row is not None
    await append_to_ledger(
        connection,
        TicketId(ticket),
        at=at,
        actor=by,
        action=REGISTERED,
        article=places_of(cards),
        body={
            **_first_body(demand, number, texts, pack),
            "cards": [msgspec.to_builtins(card) for card in cards],
            **more,
        },
    )
    if demand.is_reachable and (demand.contact_number or demand.caller_number):
        told = Message(to=CALLER, template=REGISTERED)
        await post_messages(connection, TicketId(ticket), number, 1, [told])
    return row


def texts_of(demand: Demand) -> dict[str, str]:
    """What was said and by whom, as the ticket keeps it; a secret's text is not kept at all."""
    demanded = WITHHELD if demand.is_withheld else demand.demand
    title = demand.title or " ".join(demanded.split())[:TITLE_CHARACTERS]
    return {
        "title": WITHHELD if demand.is_withheld else title,
        "content": WITHHELD if demand.is_withheld else demand.content or demand.demand,
        "demand": demanded,
        "place": "" if demand.is_withheld else demand.place,
        "occurred": "" if demand.is_withheld else demand.occurred,
        "caller_name": demand.caller_name,
        "caller_number": demand.caller_number,
        "contact_number": demand.contact_number,
    }


def texts_sha256(texts: Mapping[str, str]) -> str:
    """Binds a ticket's texts to its ledger without writing them into what can never be erased."""
    return hashlib.sha256(canonical_json(dict(texts))).hexdigest()


async def _next_number(connection: Connection, confirmed_at: datetime) -> str:
    day: date = confirmed_at.astimezone(_SHANGHAI).date()
    count = await connection.fetchval(SQL["next_number_of_day"], day)
    return f"{day:%Y%m%d}-{count:06}"


def _first_body(
    demand: Demand, number: str, texts: Mapping[str, str], pack: PackId
) -> dict[str, object]:
    """No text of the caller's and no number: those can be erased, the ledger cannot."""
    return {
        "number": number,
        "call": demand.call,
        "channel": demand.channel.value,
        "type": demand.type.value,
        "topic": demand.topic,
        "urgency": demand.urgency.value,
        "lane": demand.lane.value,
        "wants_reply": demand.wants_reply,
        "confidential": demand.is_confidential,
        "truth_notice": demand.is_truth_notice_given,
        "pack": {"name": pack.name, "version": pack.version, "hash": pack.hash},
        "texts_sha256": texts_sha256(texts),
    }
