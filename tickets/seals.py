"""Seals over the ledger, kept outside the database: what was in it cannot be changed unseen.

A ledger's chain shows a changed or missing entry, but not one whose end was cut off, nor a chain
computed anew from the beginning. A seal is a hash over every entry that came in during a span of
time, signed with a key that the database never sees, in a file beside it; each names the hash of
the one before. Pure; ``tickets.seal_store`` does it, ``hotline ledger verify`` checks it.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from tickets.ledger import canonical_json

FIRST_PREV = "0" * 64
Sign = Callable[[bytes], bytes]
IsSigned = Callable[[bytes, bytes], bool]


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """All entries that came into the database after ``from_at``, up to ``until_at``."""

    number: int
    from_at: datetime
    until_at: datetime
    entries: int
    root: str
    prev: str
    signature: str = ""
    """Hexadecimal, over everything above."""

    def covered(self) -> bytes:
        """What is signed."""
        plain = msgspec.to_builtins(self)
        del plain["signature"]
        return canonical_json(plain)

    def hash(self) -> str:
        return hashlib.sha256(canonical_json(msgspec.to_builtins(self))).hexdigest()


class Root:
    """The hash over a span's entries, fed in the order of ticket and number."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.entries = 0

    def add(self, ticket: str, seq: int, entry_hash: str) -> None:
        self._hash.update(f"{ticket}:{seq}:{entry_hash}\n".encode())
        self.entries += 1

    def hex(self) -> str:
        return self._hash.hexdigest()


def next_seal(
    before: Seal | None, root: Root, *, since: datetime, until_at: datetime, sign: Sign
) -> Seal:
    """The seal that follows ``before``; ``since`` where there is none."""
    seal = Seal(
        number=1 if before is None else before.number + 1,
        from_at=since if before is None else before.until_at,
        until_at=until_at,
        entries=root.entries,
        root=root.hex(),
        prev=FIRST_PREV if before is None else before.hash(),
    )
    return msgspec.structs.replace(seal, signature=sign(seal.covered()).hex())


@dataclass(frozen=True, slots=True, kw_only=True)
class SealFault:
    """What is wrong with the file of seals itself."""

    number: int
    what: str
    """``missing``, ``broken_link``, ``not_signed`` or ``gap``."""


def check_seals(seals: Sequence[Seal], is_signed: IsSigned) -> list[SealFault]:
    """Each follows the one before, without a gap of time, and is signed."""
    return list(_faults(seals, is_signed))


def _faults(seals: Sequence[Seal], is_signed: IsSigned) -> Iterable[SealFault]:
    before: Seal | None = None
    for number, seal in enumerate(seals, start=1):
        if seal.number != number:
            yield SealFault(number=number, what="missing")
            return
        if seal.prev != (FIRST_PREV if before is None else before.hash()):
            yield SealFault(number=number, what="broken_link")
        if before is not None and seal.from_at != before.until_at:
            yield SealFault(number=number, what="gap")
        if not is_signed(seal.covered(), bytes.fromhex(seal.signature)):
            yield SealFault(number=number, what="not_signed")
        before = seal
