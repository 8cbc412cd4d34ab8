"""Makes nonsense out of sense: inputs near enough to the real thing to get past the first check."""

import random
from collections.abc import Callable, Sequence
from typing import Final

Mutation = Callable[[bytes, random.Random], bytes]

NASTY: Final = (
    b"\x00",
    b"\r\n",
    b"\r\n\r\n",
    b"\n",
    b": ",
    b"\xff\xfe",
    "王小明".encode(),
    "王".encode()[:2],
    b"%0d%0aEvent: Hangup",
    b"-1",
    b"99999999999999999999",
    b"NaN",
    b"A" * 2000,
    b"\xf0\x9f\x92\xa9",
)


def _flip(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        if changed:
            changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _cut(data: bytes, chance: random.Random) -> bytes:
    at = chance.randint(0, len(data))
    return data[:at] if chance.random() < 0.5 else data[at:]


def _insert(data: bytes, chance: random.Random) -> bytes:
    at = chance.randint(0, len(data))
    return data[:at] + chance.choice(NASTY) + data[at:]


def _repeat(data: bytes, chance: random.Random) -> bytes:
    first, last = sorted((chance.randint(0, len(data)), chance.randint(0, len(data))))
    return data[:last] + data[first:last] * chance.randint(1, 3) + data[last:]


def _swap_lines(data: bytes, chance: random.Random) -> bytes:
    lines = data.split(b"\r\n")
    chance.shuffle(lines)
    return b"\r\n".join(lines)


def _noise(_data: bytes, chance: random.Random) -> bytes:
    return chance.randbytes(chance.randint(0, 200))


MUTATIONS: Final[Sequence[Mutation]] = (_flip, _cut, _insert, _repeat, _swap_lines, _noise)


def mutated(data: bytes, chance: random.Random) -> bytes:
    """``data`` after one to three mutations."""
    for _ in range(chance.randint(1, 3)):
        data = chance.choice(MUTATIONS)(data, chance)
    return data
