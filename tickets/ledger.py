"""The ledger of a ticket: who did what, when, why, by which article; append-only, hash-chained.

Owns the canonical form that is hashed and the check of a chain. Each entry's hash covers the whole
entry and the hash before it, so that a changed, removed or moved entry shows. It cannot show that
the *last* entries were cut off: for that, compare the newest hash with a copy kept elsewhere.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from base.ids import TicketId

FIRST_PREV_HASH = "0" * 64


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One act on a ticket. ``hash`` is empty until ``sealed``."""

    ticket: TicketId
    seq: int
    at: datetime
    actor: str
    """A user's id, or ``system:<what>``."""
    action: str
    reason: str = ""
    article: str = ""
    """The legal article or own rule that it rests on."""
    body: Mapping[str, object]
    prev_hash: str
    hash: str = ""

    def sealed(self) -> "LedgerEntry":
        """The entry with its hash."""
        return replace(self, hash=entry_hash(self))


def entry_hash(entry: LedgerEntry) -> str:
    """SHA-256 over everything in the entry but the hash itself."""
    covered = {
        "ticket": str(entry.ticket),
        "seq": entry.seq,
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": entry.actor,
        "action": entry.action,
        "reason": entry.reason,
        "article": entry.article,
        "body": entry.body,
        "prev_hash": entry.prev_hash,
    }
    return hashlib.sha256(canonical_json(covered)).hexdigest()


def canonical_json(value: object) -> bytes:
    """One byte string for one value: keys sorted, no spaces, UTF-8.

    Takes what PostgreSQL's jsonb gives back unchanged: texts, whole numbers, booleans, null, and
    lists and objects of them. A float would come back in another spelling and break the chain.
    """
    _refuse_inexact(value)
    return json.dumps(
        value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode()


def _refuse_inexact(value: object) -> None:
    match value:
        case str() | bool() | int() | None:
            return
        case Mapping():
            for key, item in value.items():
                if not isinstance(key, str):
                    raise TypeError(f"a ledger body's keys are texts, not {type(key).__name__}")
                _refuse_inexact(item)
        case list() | tuple():
            for item in value:
                _refuse_inexact(item)
        case _:
            raise TypeError(f"a ledger body cannot hold a {type(value).__name__}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainFault:
    """The first place at which a ledger does not hold together."""

    seq: int
    what: str
    """``missing``: an entry is not there; ``broken_link``: it does not follow the one before;
    ``changed``: its content does not give its hash; ``other_ticket``: it is not this ticket's."""


def verify_chain(entries: Sequence[LedgerEntry]) -> ChainFault | None:
    """Check a ticket's whole ledger in order; None when nothing was changed."""
    if not entries:
        return ChainFault(seq=1, what="missing")
    prev_hash = FIRST_PREV_HASH
    for seq, entry in enumerate(entries, start=1):
        if entry.seq != seq:
            return ChainFault(seq=seq, what="missing")
        if entry.ticket != entries[0].ticket:
            return ChainFault(seq=seq, what="other_ticket")
        if entry.prev_hash != prev_hash:
            return ChainFault(seq=seq, what="broken_link")
        if entry_hash(entry) != entry.hash:
            return ChainFault(seq=seq, what="changed")
        prev_hash = entry.hash
    return None
