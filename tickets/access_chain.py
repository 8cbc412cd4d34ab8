"""The access log as evidence: each line bound to the one before it of its ticket.

The database writes the chain itself (``hotline.chain_access``): nobody's statement can leave
it out; here it is worked out again, without trusting the database's own functions. Lines from
before the chain have no number and stand before all others. Pure.
"""

import hashlib
import json
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from tickets.ledger import FIRST_PREV_HASH

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessLine:
    """One line of the log, as it stands in the database."""

    id: int
    at: datetime
    login: str
    user_id: uuid.UUID
    unit: str | None
    ticket_id: uuid.UUID
    act: str
    fields: Sequence[str]
    reason: str
    seq: int | None
    """Of its ticket's lines, from 1; None: from before the chain."""
    prev_hash: str | None
    hash: str | None

    def sha256(self) -> str:
        """What its hash must be: of everything else, in the spelling of PostgreSQL's jsonb."""
        said = [
            self.id,
            (self.at - _EPOCH) // _MICROSECOND,
            self.login,
            str(self.user_id),
            self.unit,
            str(self.ticket_id),
            self.act,
            list(self.fields),
            self.reason,
            self.seq,
            self.prev_hash,
        ]
        return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()


class AccessHead(NamedTuple):
    """What a ticket's last line is."""

    seq: int
    hash: str


NO_HEAD = AccessHead(0, FIRST_PREV_HASH)


def access_fault(
    lines: Sequence[AccessLine], head: AccessHead, first_chained: int | None
) -> tuple[str, int] | None:
    """The first place at which a ticket's lines do not hold together, and its number; or None.

    ``lines`` in order, those without a number first; ``first_chained``: the lowest id of all lines
    of the log that have a number. ``accesses_missing``: one is not there; ``access_changed``: what
    it says does not give its hash, or it does not follow the one before; ``access_slipped_in``: it
    came after the chain began and is not in it.
    """
    return next(_faults(lines, head, first_chained), None)


def _faults(
    lines: Sequence[AccessLine], head: AccessHead, first_chained: int | None
) -> Iterator[tuple[str, int]]:
    chain = [line for line in lines if line.seq is not None]
    prev_hash = FIRST_PREV_HASH
    for seq, line in enumerate(chain, start=1):
        if line.seq != seq:
            yield "accesses_missing", seq
        if line.prev_hash != prev_hash or line.hash != line.sha256():
            yield "access_changed", seq
        prev_hash = line.sha256()
    if head.seq > len(chain):
        yield "accesses_missing", len(chain) + 1
    if head != (len(chain), prev_hash):
        yield "access_changed", len(chain)
    old = [line for line in lines if line.seq is None]
    if any(first_chained is not None and line.id > first_chained for line in old):
        yield "access_slipped_in", 0
