"""Attachments of tickets: added, shown to units, withdrawn; each an act with its ledger entry.

A row is never deleted and a file only by its term (``erase_one``): what was added by mistake is
withdrawn with a reason, and goes on being there for supervision. The ledger holds the file's hash
and not its name, which may be somebody's. Who may is asked by ``server.http.attachment_routes``;
what a unit sees of it, by PostgreSQL's row policy.
"""

import asyncio
import uuid
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, Final

import structlog

from base.database import Connection, Database, storable
from base.ids import AssignmentId
from base.sql_files import load_sql
from rules.catalogue import KEEP_TICKETS
from tickets.attachment_files import AttachmentFiles, Incoming, Whole
from tickets.facts import Actor, ActorRole, TicketFacts
from tickets.file_kinds import named_as
from tickets.law import Law
from tickets.lifecycle import check_open
from tickets.refusals import MoveRefused, NotFitting, TicketUnseen
from tickets.store import SQL as TICKETS_SQL
from tickets.store import append_to_ledger
from tickets.ticket import TicketState

log = structlog.get_logger(__name__)

SQL = load_sql(Path(__file__).parent / "sql" / "attachments")
STRAY_AFTER: Final = timedelta(days=1)
"""A file that no row knows so long after it came belongs to no transaction any more."""
_AT_A_TIME: Final = 1000


class Source(StrEnum):
    """Whose a file is."""

    CALLER = "caller"
    CENTRE = "centre"
    UNIT = "unit"


MOST_OF_A_TICKET: Final = MappingProxyType({Source.CALLER: 10, Source.CENTRE: 30, Source.UNIT: 30})
"""From each side and, of units, from each; what was withdrawn does not count."""


class AttachmentsFull(MoveRefused):
    """The ticket has as many attachments from this side as it may have."""

    code: ClassVar[str] = "attachments_full"


class AlreadyAttached(Exception):
    """The same content from the same side is there already; undoes the transaction of ``add``."""

    def __init__(self, attachment: str) -> None:
        self.attachment = attachment


class AttachmentUnknown(MoveRefused):
    """There is no such attachment, or it is not yours to see."""

    code: ClassVar[str] = "attachment_unknown"
    http_status: ClassVar[int] = 404


async def add(
    connection: Connection,
    facts: TicketFacts,
    coming: Incoming,
    whole: Whole,
    *,
    name: str,
    source: Source,
    by: Actor,
    law: Law,
    at: datetime,
) -> str:
    """The id of the attachment. ``AlreadyAttached`` where the same side added the same content."""
    assignment = _assignment(facts, by)
    ticket = uuid.UUID(facts.id)
    # Others of this ticket wait from here; what happened to it while the file came, counts.
    state = await connection.fetchval(TICKETS_SQL["next_version"], ticket)
    check_open(TicketState(state), "attach")
    of = None if assignment is None else uuid.UUID(assignment)
    known = await connection.fetchval(
        SQL["same_attachment"], ticket, whole.sha256, source.value, of
    )
    if known is not None:
        raise AlreadyAttached(known)
    count = await connection.fetchval(SQL["count_attachments"], ticket, source.value, of)
    if count >= MOST_OF_A_TICKET[source]:
        raise AttachmentsFull(most=MOST_OF_A_TICKET[source])
    keep = law.ask_if_given(KEEP_TICKETS)
    attachment = str(uuid.uuid4())
    await connection.execute(SQL["lock_content"], whole.sha256)
    await asyncio.to_thread(coming.place, whole)
    await connection.execute(
        SQL["insert_attachment"],
        attachment,
        ticket,
        of,
        storable(named_as(whole.kind, name)),
        whole.kind.media_type,
        whole.size_bytes,
        whole.sha256,
        at,
        by.user,
        source.value,
        100 if keep is None else keep.value.years,
        f"{KEEP_TICKETS.name} {law.pack.id} {law.pack.version}",
    )
    body: dict[str, object] = {
        "attachment": attachment,
        "sha256": whole.sha256,
        "size_bytes": whole.size_bytes,
        "media_type": whole.kind.media_type,
        "source": source.value,
        **({} if by.unit is None else {"unit": by.unit}),
    }
    await append_to_ledger(connection, facts.id, at=at, actor=by.user, action="attach", body=body)
    return attachment


async def withdraw(
    connection: Connection,
    facts: TicketFacts,
    attachment: uuid.UUID,
    by: Actor,
    reason: str,
    at: datetime,
) -> None:
    """Out of sight of units and lists of work; the file stays."""
    done = await _changed(
        connection, facts, "withdraw_attachment", attachment, at, by.user, storable(reason)
    )
    await _enter(connection, facts, "withdraw_attachment", done, by, reason, at)


async def show_to_units(
    connection: Connection,
    facts: TicketFacts,
    attachment: uuid.UUID,
    by: Actor,
    reason: str,
    at: datetime,
    *,
    is_shown: bool,
) -> None:
    """Somebody of the centre looked it through: units may see it, or no longer."""
    done = await _changed(connection, facts, "show_to_units", attachment, is_shown)
    action = "show_attachment" if is_shown else "hide_attachment"
    await _enter(connection, facts, action, done, by, reason, at)


def check_seen(facts: TicketFacts, by: Actor) -> None:
    """Who stepped back from a ticket has no part in its files either."""
    if by.user in facts.recused_users:
        raise TicketUnseen


def _assignment(facts: TicketFacts, by: Actor) -> AssignmentId | None:
    if ActorRole.UNIT not in by.roles:
        return None
    mine = None if by.unit is None else facts.of_unit(by.unit)
    if mine is None:
        raise NotFitting(field="assignment", why="no_such_assignment")
    return mine.id


async def _changed(
    connection: Connection, facts: TicketFacts, sql: str, attachment: uuid.UUID, *values: object
) -> str:
    ticket = uuid.UUID(facts.id)
    await connection.fetchval(TICKETS_SQL["next_version"], ticket)
    done = await connection.fetchval(SQL[sql], ticket, attachment, *values)
    if done is None:
        raise AttachmentUnknown
    return str(done)


async def _enter(
    connection: Connection,
    facts: TicketFacts,
    action: str,
    attachment: str,
    by: Actor,
    reason: str,
    at: datetime,
) -> None:
    await append_to_ledger(
        connection,
        facts.id,
        at=at,
        actor=by.user,
        action=action,
        reason=reason,
        body={"attachment": attachment, **({} if by.unit is None else {"unit": by.unit})},
    )


async def erase_one(database: Database, files: AttachmentFiles, at: datetime) -> bool:
    """Remove one file whose term is past; False: there is none. Its row and hash stay."""
    async with database.transaction() as connection:
        await connection.execute(TICKETS_SQL["open_locked_lanes"])
        row = await connection.fetchrow(SQL["next_to_erase"], at)
        if row is None:
            return False
        await connection.execute(SQL["lock_content"], row["sha256"])
        await connection.execute(SQL["mark_erased"], row["id"], at)
        if not await connection.fetchval(SQL["is_content_kept"], row["sha256"]):
            await asyncio.to_thread(files.remove, row["sha256"])
    log.info("attachment_erased", attachment=str(row["id"]), sha256=row["sha256"])
    return True


async def remove_strays(database: Database, files: AttachmentFiles, at: datetime) -> int:
    """Remove files that no row knows, as a transaction leaves that was undone; how many."""
    old = await asyncio.to_thread(files.placed_before, (at - STRAY_AFTER).timestamp())
    removed = 0
    for first in range(0, len(old), _AT_A_TIME):
        async with database.transaction() as connection:
            # Without it the files of locked tickets would look unknown.
            await connection.execute(TICKETS_SQL["open_locked_lanes"])
            unknown = await connection.fetch(
                SQL["unknown_contents"], old[first : first + _AT_A_TIME]
            )
        for row in unknown:
            removed += await _remove_stray(database, files, row["sha256"])
    return removed


async def _remove_stray(database: Database, files: AttachmentFiles, sha256: str) -> bool:
    async with database.transaction() as connection:
        await connection.execute(TICKETS_SQL["open_locked_lanes"])
        await connection.execute(SQL["lock_content"], sha256)
        if await connection.fetchval(SQL["is_content_kept"], sha256):
            return False
        await asyncio.to_thread(files.remove, sha256)
    log.info("stray_attachment_removed", sha256=sha256)
    return True
