"""Each scope's snapshot as it lies in Redis: a hash, so that an event writes only what it changes.

One field a line: an hour-long call costs no more to write than a short one. The wall has one field
for each caller and agent. Written by the publisher alone, in the transaction of the event; read by
web processes and by a bridge that starts.
"""

from collections.abc import Awaitable, Mapping
from typing import Final, TypeVar, cast

import msgspec
from msgspec.structs import replace
from redis.asyncio import Redis

from base.ids import AgentId
from server.push.protocol import DeskView, Line, WallAgent, WallCaller, WallView
from server.push.view import spoken_order
from server.push.wall_view import waiting_order
from server.streams import RedisValue

VIEW_EXPIRY_S: Final = 86_400
WALL_SCOPE: Final = "wall"
"""The leaders' one scope."""
_LINE: Final = "line:"
_CALLER: Final = "caller:"
_AGENT: Final = "agent:"
_WHOLES: Final = ("queues", "figures", "alarms", "dangers", "links")
_PARTS: Final = tuple(name for name in DeskView.__struct_fields__ if name != "lines")
_encode = msgspec.json.Encoder().encode
Row = TypeVar("Row")


def agent_scope(agent: AgentId | str) -> str:
    """The scope of one agent's own desk."""
    return f"agent:{agent}"


def view_key(scope: str) -> str:
    """Where a scope's snapshot lies."""
    return f"hotline:view:{scope}"


class StoredView(msgspec.Struct, frozen=True):
    """A desk's snapshot with the number of the last event in it."""

    epoch: str
    seq: int
    view: DeskView


class StoredWall(msgspec.Struct, frozen=True):
    """The same of the wall."""

    epoch: str
    seq: int
    view: WallView


Stored = StoredView | StoredWall
Command = tuple[RedisValue, ...]


def whole(scope: str, stored: Stored) -> list[Command]:
    """Write all of it, whatever was there."""
    key = view_key(scope)
    fields: dict[str, RedisValue] = {"epoch": stored.epoch, "seq": stored.seq}
    match stored:
        case StoredView(view=desk):
            fields["desk"] = _desk(desk)
            for line in desk.lines:
                fields[_LINE + line.id] = _encode(line)
        case StoredWall(view=wall):
            fields |= {field: _encode(part) for field, part in _wall_parts(wall).items()}
    return [
        ("DEL", key),
        ("HSET", key, *_flat(fields)),
        ("EXPIRE", key, VIEW_EXPIRY_S),
    ]


def changed(scope: str, before: DeskView, stored: StoredView) -> list[Command]:
    """Write what differs from ``before``, which is there, of the same epoch."""
    key, after = view_key(scope), stored.view
    fields: dict[str, RedisValue] = {"seq": stored.seq}
    if any(getattr(before, part) is not getattr(after, part) for part in _PARTS):
        fields["desk"] = _desk(after)
    gone: list[Command] = []
    if before.lines is not after.lines:
        former = {line.id: line for line in before.lines}
        for line in after.lines:
            if former.pop(line.id, None) is not line:
                fields[_LINE + line.id] = _encode(line)
        if former:
            gone = [("HDEL", key, *(_LINE + line for line in former))]
    return [("HSET", key, *_flat(fields)), *gone]


def wall_changed(before: WallView, stored: StoredWall) -> list[Command]:
    """The same for the wall."""
    key = view_key(WALL_SCOPE)
    former, now = _wall_parts(before), _wall_parts(stored.view)
    fields: dict[str, RedisValue] = {"seq": stored.seq}
    fields |= {f: _encode(part) for f, part in now.items() if former.get(f) is not part}
    gone = former.keys() - now.keys()
    return [("HSET", key, *_flat(fields)), *([("HDEL", key, *sorted(gone))] if gone else [])]


def _wall_parts(wall: WallView) -> Mapping[str, object]:
    """What is written each for itself."""
    return {
        **{name: getattr(wall, name) for name in _WHOLES},
        **{_CALLER + caller.call: caller for caller in wall.callers},
        **{_AGENT + agent.agent: agent for agent in wall.agents},
    }


async def find_wall(redis: Redis) -> StoredWall | None:
    """The wall's snapshot; None where there is none that can be read."""
    found = await cast("Awaitable[dict[bytes, bytes]]", redis.hgetall(view_key(WALL_SCOPE)))
    try:
        view = msgspec.convert(
            {
                **{
                    name: msgspec.json.decode(found[name.encode()])
                    for name in _WHOLES
                    if name.encode() in found  # an older version stored fewer
                },
                "callers": sorted(_rows(found, _CALLER, WallCaller), key=waiting_order),
                "agents": sorted(_rows(found, _AGENT, WallAgent), key=lambda row: row.agent),
            },
            WallView,
        )
        return StoredWall(found[b"epoch"].decode(), int(found[b"seq"]), view)
    except (KeyError, ValueError):
        return None


def _rows(found: Mapping[bytes, bytes], prefix: str, kind: type[Row]) -> list[Row]:
    return [
        msgspec.json.decode(raw, type=kind)
        for field, raw in found.items()
        if field.startswith(prefix.encode())
    ]


async def find_view(redis: Redis, scope: str) -> StoredView | None:
    """The scope's snapshot; None where there is none that can be read."""
    found = await cast("Awaitable[dict[bytes, bytes]]", redis.hgetall(view_key(scope)))
    try:
        epoch, seq = found[b"epoch"].decode(), int(found[b"seq"])
        desk = msgspec.json.decode(found[b"desk"], type=DeskView)
        lines = [
            msgspec.json.decode(raw, type=Line)
            for field, raw in found.items()
            if field.startswith(_LINE.encode())
        ]
    except (KeyError, ValueError):  # msgspec's errors are ValueErrors
        return None
    return StoredView(epoch, seq, replace(desk, lines=sorted(lines, key=spoken_order)))


def _desk(view: DeskView) -> bytes:
    return _encode(replace(view, lines=[]))


def _flat(fields: dict[str, RedisValue]) -> list[RedisValue]:
    return [part for pair in fields.items() for part in pair]
