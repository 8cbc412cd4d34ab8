"""Redis streams and transactions as typed values: redis-py's own types are unions of everything."""

from dataclasses import dataclass
from typing import cast

from redis.asyncio import Redis

RedisValue = str | int | float | bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a stream."""

    id: str
    fields: dict[bytes, bytes]


_RawEntry = tuple[bytes, dict[bytes, bytes]]


async def read_after(
    redis: Redis, stream: str, cursor: str, *, count: int, block_ms: int
) -> list[Entry]:
    """The entries after ``cursor``, oldest first; waits at most ``block_ms`` for the first."""
    raw = await redis.xread({stream: cursor}, count=count, block=block_ms)
    if not raw and await _is_begun_anew(redis, stream, cursor):
        raw = await redis.xread({stream: "0-0"}, count=count)
    batches = cast("list[tuple[bytes, list[_RawEntry]]]", raw or [])
    return [_entry(entry) for _name, entries in batches for entry in entries]


async def _is_begun_anew(redis: Redis, stream: str, cursor: str) -> bool:
    """Whether Redis lost the stream and numbers it from a clock that was set back meanwhile: what
    comes would stand before the cursor for as long as the step."""
    newest = await latest(redis, stream, 1)
    return bool(newest) and place_of(newest[0].id) < place_of(cursor)


def place_of(entry: str) -> tuple[int, int]:
    """An entry's id as what it is ordered by."""
    at_ms, _, number = entry.partition("-")
    return int(at_ms), int(number)


def entries_of(reply: object) -> list[Entry]:
    """XREAD's answer on one stream, as it comes on the wire (RESP 2)."""
    batches = cast("list[tuple[bytes, list[tuple[bytes, list[bytes]]]]]", reply or [])
    return [
        Entry(id=number.decode(), fields=dict(zip(flat[::2], flat[1::2], strict=True)))
        for _name, entries in batches
        for number, flat in entries
    ]


async def latest(redis: Redis, stream: str, count: int) -> list[Entry]:
    """The last ``count`` entries, oldest first."""
    raw = await redis.xrevrange(stream, count=count)
    return [_entry(entry) for entry in reversed(cast("list[_RawEntry]", raw))]


async def append(redis: Redis, stream: str, fields: dict[str, RedisValue], *, most: int) -> None:
    """Add an entry; the stream keeps about its last ``most``."""
    await transact(redis, _xadd(stream, fields, most))


async def transact(redis: Redis, *commands: tuple[RedisValue, ...]) -> None:
    """Carry out all commands or none."""
    pipe = redis.pipeline(transaction=True)
    for command in commands:
        pipe.execute_command(*command)
    await pipe.execute()


def _xadd(stream: str, fields: dict[str, RedisValue], most: int) -> tuple[RedisValue, ...]:
    flat = [part for pair in fields.items() for part in pair]
    return ("XADD", stream, "MAXLEN", "~", most, "*", *flat)


def append_command(
    stream: str, fields: dict[str, RedisValue], *, most: int
) -> tuple[RedisValue, ...]:
    """``append`` as part of a ``transact``."""
    return _xadd(stream, fields, most)


async def get_bytes(redis: Redis, key: str) -> bytes | None:
    """A key's value, None where there is none."""
    return cast("bytes | None", await redis.get(key))


def _entry(raw: _RawEntry) -> Entry:
    return Entry(id=raw[0].decode(), fields=raw[1])
