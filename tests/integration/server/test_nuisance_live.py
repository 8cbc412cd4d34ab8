"""What the bridge does about callers who misuse the line: warns, ends calls, counts fairly."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from base.database import Connection
from server.live.commands import BringInEmergency, CommandRefused, EndByRules
from server.secrets_store import secrets_of
from server.settings import Settings
from server.throttle import Throttle
from tests.fakes.live_bridge import WAIT_S, LiveBridge

NUMBER = "13800138000"


@pytest.fixture
async def live(settings: Settings) -> AsyncIterator[LiveBridge]:
    async with LiveBridge(settings) as bridge:
        await bridge.make_ready()
        yield bridge


async def test_pop_warns_of_marks_silent_and_long_calls_and_where_the_ladder_stands(
    live: LiveBridge, owner: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What it says, also on a machine so busy that a pop would not wait for the history.
    monkeypatch.setattr("server.live.calls.HISTORY_TIMEOUT_S", 10.0)
    now = datetime.now(UTC)
    for call, minutes in (("h-1", 30), ("h-2", 1)):
        await owner.execute(
            "INSERT INTO calls (id, caller_number, arrived_at, answered_at, ended_at)"
            " VALUES ($1, $2, $3, $3, $4)",
            call,
            NUMBER,
            now - timedelta(hours=2),
            now - timedelta(hours=2) + timedelta(minutes=minutes),
        )
    await owner.execute(
        "INSERT INTO utterances (call_id, speaker, number, revision, text, start_s, end_s, engine,"
        " model) VALUES ('h-2', 'agent', 0, 0, '您好，请讲。', 0, 1, 'x', 'x')"
    )
    for kind in ("mark", "warn"):
        await owner.execute(
            "INSERT INTO nuisance_steps (caller_number, at, kind, misuse, call_id, reason, script,"
            " pack) VALUES ($1, $2, $3, 'harassment', 'h-2', '', '', '')",
            NUMBER,
            now - timedelta(hours=1),
            kind,
        )
    call = live.switch.arrive(NUMBER)
    live.switch.queue(call)
    live.switch.ring(call, "1001")
    view = await live.until_view(lambda view: view.pop is not None, what="the pop")
    assert view.pop is not None
    told = {warning.kind: warning.params for warning in view.pop.warnings}
    assert told["misuse_marked"] == {"calls": "1"}
    assert told["silent_calls"] == {"calls": "1"}
    assert told["long_calls"] == {"calls": "1"}
    assert told["nuisance"]["standing"] == "warned"


async def test_a_conversation_is_ended_by_the_rules_but_never_an_emergency(
    live: LiveBridge,
) -> None:
    call = await live.answered_call(NUMBER)
    await live.ask(EndByRules(agent="1001", call=call))
    assert live.switch.ended_by_rules == [call]
    with pytest.raises(CommandRefused) as refused:
        await live.ask(EndByRules(agent="1002", call=call))
    assert refused.value.code == "call_not_on_desk"
    urgent = await live.answered_call("13800138002", "1002")
    await live.ask(BringInEmergency(agent="1002", call=urgent, line="110"))
    await live.until_view(
        lambda view: view.call is not None and view.call.emergency is not None, "1002"
    )
    with pytest.raises(CommandRefused) as refused:
        await live.ask(EndByRules(agent="1002", call=urgent))
    assert refused.value.code == "nuisance_emergency"
    assert live.switch.ended_by_rules == [call]


async def test_a_call_that_nobody_answered_is_not_counted(
    live: LiveBridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    # How it counts, also on a machine so busy that a caller would be let in uncounted.
    monkeypatch.setattr("server.throttle.TIMEOUT_S", 10.0)
    key = secrets_of(live.settings).read_or_empty("number_key")
    throttle = Throttle(live.redis, live.settings.throttle.rates, key)
    most = live.settings.throttle.rates[0].calls
    for _ in range(most):
        assert not await throttle.is_often(NUMBER)
    before = await live.redis.get(throttle.key_of(NUMBER))
    call = live.switch.arrive(NUMBER)
    live.switch.queue(call)
    live.switch.hang_up(call)

    async with asyncio.timeout(WAIT_S):
        while await live.redis.get(throttle.key_of(NUMBER)) == before:  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.02)
    assert not await throttle.is_often(NUMBER)
    assert await throttle.is_often(NUMBER)
