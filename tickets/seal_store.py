"""Seals the ledger and the access log of a database into files, and compares them.

Owns the files of ``Book``: one line a seal, only ever appended, synced before it counts. Any
number of processes may try: a lock of the file lets one at a time. An entry is sealed only when it
is older than any transaction can be, so that none comes in behind a seal.
"""

import asyncio
import fcntl
import os
import uuid
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import IO

import asyncpg
import msgspec

from base.database import Connection
from tickets.access_chain import NO_HEAD, AccessHead, AccessLine, access_fault
from tickets.ledger import LedgerEntry, verify_chain
from tickets.new_ticket import TEXTS, texts_sha256
from tickets.seals import IsSigned, Root, Seal, Sign, check_seals, next_seal
from tickets.store import ROWS, SQL, entry_of_row
from tickets.ticket import TicketState

MARGIN = timedelta(seconds=10)
"""Longer than a transaction of ours may take (``base.database.Patience``)."""
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
_BATCH = 500


class Book(StrEnum):
    """What is sealed by itself: the file of its seals."""

    LEDGER = "seals.jsonl"
    """What was done with each ticket."""
    ACCESSES = "access_seals.jsonl"
    """Who saw what of it, lines from before their chain too."""

    @property
    def seal(self) -> str:
        """What a seal of it is called."""
        return "seal" if self is Book.LEDGER else "access seal"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerFault:
    """One thing that does not hold together."""

    where: str
    """A ticket's number, ``seal N`` or ``access seal N``."""
    what: str
    seq: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a verification found."""

    tickets: int
    entries: int
    seals: int
    sealed_until: datetime | None
    """Later entries are covered by their chains alone."""
    accesses: int
    accesses_before_chain: int
    """Of these; the access seals alone cover them."""
    access_seals: int
    faults: tuple[LedgerFault, ...]


class SealFile:
    """The seals of a book, in their folder."""

    def __init__(self, folder: Path, book: Book = Book.LEDGER) -> None:
        self.path = folder / book
        self.book = book

    def read(self) -> list[Seal]:
        if not self.path.exists():
            return []
        lines = self.path.read_bytes().splitlines()
        return [msgspec.json.decode(line, type=Seal) for line in lines]

    @contextmanager
    def locked(self) -> Iterator[IO[bytes] | None]:
        """The open file, ours alone; None while it is somebody else's."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self.path.open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield None
            else:
                yield file


async def seal(connection: Connection, file: SealFile, sign: Sign, at: datetime) -> Seal | None:
    """Seal what came in since the last seal; None where that is nothing."""
    until_at = at - MARGIN
    with file.locked() as out:
        if out is None:
            return None  # another process is at it
        seals = file.read()
        last = seals[-1] if seals else None
        since = BEGINNING if last is None else last.until_at
        if until_at <= since:
            return None
        root = await _root(connection, file.book, since, until_at)
        if root.entries == 0 and last is not None:
            return None
        made = await asyncio.to_thread(
            next_seal, last, root, since=since, until_at=until_at, sign=sign
        )
        await asyncio.to_thread(_append, out, msgspec.json.encode(made) + b"\n")
    return made


def _append(out: IO[bytes], line: bytes) -> None:
    out.write(line)
    out.flush()
    os.fsync(out.fileno())


async def verify(connection: Connection, folder: Path, is_signed: IsSigned) -> Verdict:
    """Compare every ticket with its chains, and every sealed span with its seal."""
    seals = {book: SealFile(folder, book).read() for book in Book}
    faults = [
        fault
        for book in Book
        async for fault in _seal_faults(connection, book, seals[book], is_signed)
    ]
    tickets = entries = accesses = before_chain = 0
    async for each in _tickets(connection):
        tickets += 1
        entries += len(each.chain)
        accesses += len(each.accesses)
        before_chain += sum(line.seq is None for line in each.accesses)
        faults += each.faults
    ledger_seals = seals[Book.LEDGER]
    return Verdict(
        tickets=tickets,
        entries=entries,
        seals=len(ledger_seals),
        sealed_until=ledger_seals[-1].until_at if ledger_seals else None,
        accesses=accesses,
        accesses_before_chain=before_chain,
        access_seals=len(seals[Book.ACCESSES]),
        faults=tuple(faults),
    )


async def _seal_faults(
    connection: Connection, book: Book, seals: list[Seal], is_signed: IsSigned
) -> AsyncIterator[LedgerFault]:
    for fault in check_seals(seals, is_signed):
        yield LedgerFault(where=f"{book.seal} {fault.number}", what=fault.what)
    for each in seals:
        root = await _root(connection, book, each.from_at, each.until_at)
        if root.entries != each.entries:
            what = "entries_missing" if root.entries < each.entries else "entries_added"
            yield LedgerFault(where=f"{book.seal} {each.number}", what=what)
        elif root.hex() != each.root:
            yield LedgerFault(where=f"{book.seal} {each.number}", what="entries_changed")


async def _root(connection: Connection, book: Book, since: datetime, until_at: datetime) -> Root:
    root = Root()
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.execute(SQL["open_locked_lanes"])
        if book is Book.LEDGER:
            async for row in connection.cursor(SQL["entries_between"], since, until_at):
                root.add(str(row["ticket_id"]), row["seq"], row["hash"])
        else:
            async for row in connection.cursor(SQL["accesses_between"], since, until_at):
                line = AccessLine(**row)
                root.add(str(line.ticket_id), line.id, line.sha256())
    return root


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checked:
    """A ticket, looked at."""

    chain: list[LedgerEntry]
    accesses: list[AccessLine]
    faults: list[LedgerFault]


async def _tickets(connection: Connection) -> AsyncIterator[_Checked]:
    """Each ticket, a batch at a time."""
    after = uuid.UUID(int=0)
    first_chained = await connection.fetchval(SQL["first_chained_access"])
    while True:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            await connection.execute(SQL["open_locked_lanes"])
            rows = await connection.fetch(SQL["tickets_after"], after, _BATCH)
            ids = [row["id"] for row in rows]
            entries = await connection.fetch(SQL["entries_of_tickets"], ids)
            bound = await connection.fetch(SQL["rows_of_tickets"], ids)
            accesses = await connection.fetch(SQL["accesses_of_tickets"], ids)
            heads = await connection.fetch(SQL["access_heads_of_tickets"], ids)
        if not rows:
            return
        hashes = {each["id"]: each["sha256"] for each in bound}
        head_of = {each["ticket_id"]: AccessHead(each["seq"], each["hash"]) for each in heads}
        chains: dict[str, list[LedgerEntry]] = {str(each): [] for each in ids}
        for entry in map(entry_of_row, entries):
            chains[entry.ticket].append(entry)
        seen: dict[uuid.UUID, list[AccessLine]] = {each: [] for each in ids}
        for each in accesses:
            seen[each["ticket_id"]].append(AccessLine(**each))
        for row in rows:
            chain, lines = chains[str(row["id"])], seen[row["id"]]
            found = [*_ticket_faults(row, chain, hashes[str(row["id"])])]
            fault = access_fault(lines, head_of.get(row["id"], NO_HEAD), first_chained)
            found += [] if fault is None else [fault]
            faults = [LedgerFault(where=row["number"], what=what, seq=seq) for what, seq in found]
            yield _Checked(chain=chain, accesses=lines, faults=faults)
        after = ids[-1]


def _ticket_faults(
    row: asyncpg.Record, chain: list[LedgerEntry], rows: str
) -> Iterator[tuple[str, int]]:
    """The chain itself, and whether the ticket is what its ledger says."""
    if (fault := verify_chain(chain)) is not None:
        yield fault.what, fault.seq
        return
    last = chain[-1]
    if len(chain) != row["version"]:
        yield "entries_missing", len(chain) + 1  # each move is one version and one entry
    elif _state_said(chain) != row["state"]:
        yield "state_changed", last.seq
    elif last.body.get(ROWS, rows) != rows:
        yield "rows_changed", last.seq
    bound = [each for each in chain if "texts_sha256" in each.body]
    if row["is_withheld"] or not bound:
        return
    if bound[-1].body["texts_sha256"] != texts_sha256(_texts(row)):
        yield "texts_changed", bound[-1].seq


def _state_said(chain: Iterable[LedgerEntry]) -> object:
    """By the last entry that speaks of it: a file added, say, leaves the state as it was."""
    said = [entry.body["to"] for entry in chain if "to" in entry.body]
    return said[-1] if said else TicketState.REGISTERED


def _texts(row: asyncpg.Record) -> dict[str, str]:
    return {name: row[name] for name in TEXTS}
