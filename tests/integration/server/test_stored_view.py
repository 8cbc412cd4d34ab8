"""What lies in Redis of a desk: after each event the whole view, however little was written."""

import random
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from server.live.stored_view import (
    WALL_SCOPE,
    StoredView,
    StoredWall,
    changed,
    find_view,
    find_wall,
    view_key,
    whole,
)
from server.push.protocol import DangerView, DeskEvent, DeskView, LineChanged
from server.push.view import apply
from server.push.wall_view import empty_wall
from server.redis_client import connect_redis
from server.streams import transact
from tests.conftest import TestValkey
from tests.unit.server.push.test_view import VECTORS

SCOPE = "agent:1001"


async def written(redis: Redis, view: DeskView, events: list[DeskEvent]) -> DeskView:
    """Apply the events one by one, and see that the stored view follows."""
    await transact(redis, *whole(SCOPE, StoredView("e", 0, view)))
    for seq, event in enumerate(events, start=1):
        before, view = view, apply(view, event)
        await transact(redis, *changed(SCOPE, before, StoredView("e", seq, view)))
        assert await find_view(redis, SCOPE) == StoredView("e", seq, view)
    return view


async def test_every_kind_of_event_leaves_the_whole_view(valkey: TestValkey) -> None:
    redis = connect_redis(valkey.url)
    for vector in VECTORS.values():
        assert await written(redis, vector.before, vector.events) == vector.after
    assert 0 < await redis.ttl(view_key(SCOPE)) <= 86_400
    await redis.aclose()


@pytest.mark.parametrize("seed", range(3))
async def test_events_in_any_order_leave_the_whole_view(valkey: TestValkey, seed: int) -> None:
    redis = connect_redis(valkey.url)
    chance = random.Random(seed)
    events = [event for vector in VECTORS.values() for event in vector.events]
    view = next(iter(VECTORS.values())).before
    await written(redis, view, chance.choices(events, k=150))
    await redis.aclose()


def test_a_word_costs_no_more_to_write_in_a_long_call() -> None:
    opened = VECTORS["whole_call"]
    view = next(
        view
        for n in range(len(opened.events))
        if (view := _after(opened.before, opened.events[: n + 1])).lines
    )
    first = view.lines[0]
    sizes = []
    for number in range(1, 1001):
        line = msgspec.structs.replace(
            first, id=f"citizen-{number}", number=number, start_s=float(number), revision=1
        )
        before, view = view, apply(view, LineChanged(line=line))
        if number in (1, 1000):
            commands = changed(SCOPE, before, StoredView("e", number, view))
            sizes.append(sum(len(str(part)) for command in commands for part in command))
    assert len(view.lines) > 1000
    assert sizes[1] < sizes[0] + 20


async def test_what_cannot_be_read_is_no_view(valkey: TestValkey) -> None:
    redis = connect_redis(valkey.url)
    assert await find_view(redis, "agent:nobody") is None
    for field, value in (("epoch", "e"), ("seq", "x"), ("desk", "{}")):
        await redis.hset(view_key("agent:odd"), field, value)
        assert await find_view(redis, "agent:odd") is None
    await redis.aclose()


async def test_what_an_older_version_stored_is_read_with_what_it_did_not_know(
    valkey: TestValkey,
) -> None:
    redis = connect_redis(valkey.url)
    empty = VECTORS["whole_call"].before
    shown = DangerView(kind="fire", line="119", confidence=0.9, evidence=[])
    await transact(redis, *whole(SCOPE, StoredView("e", 3, replace(empty, dangers=[shown]))))
    stored = await redis.hget(view_key(SCOPE), "desk")
    assert stored is not None
    desk = msgspec.json.decode(stored)
    for later in ("since_at", "is_dismissed", "last_told"):
        del desk["dangers"][0][later]
    await redis.hset(view_key(SCOPE), "desk", msgspec.json.encode(desk))
    found = await find_view(redis, SCOPE)
    assert found is not None
    assert [(danger.kind, danger.is_dismissed) for danger in found.view.dangers] == [
        ("fire", False)
    ]
    assert abs(found.view.dangers[0].since_at - datetime.now(UTC)) < timedelta(minutes=1)
    wall = empty_wall(empty.links)
    await transact(redis, *whole(WALL_SCOPE, StoredWall("e", 1, wall)))
    await redis.hdel(view_key(WALL_SCOPE), "dangers")
    assert await find_wall(redis) == StoredWall("e", 1, wall)
    await redis.aclose()


def _after(view: DeskView, events: list[DeskEvent]) -> DeskView:
    for event in events:
        view = apply(view, event)
    return view
