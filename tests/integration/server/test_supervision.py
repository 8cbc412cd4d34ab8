"""Leaders' acts on the bridge as it runs: done, refused where they would harm, and written down."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import msgspec
import pytest

from base.database import Connection, Database
from base.ids import AgentId, CallId
from server.live.commands import CommandRefused, Supervise
from server.records.supervision import ActRow, Acts
from server.settings import Settings
from tests.fakes.live_bridge import WAIT_S, LiveBridge

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def wish(
    act: str, call: CallId | None = None, *, confirmed: bool = False, agent: str = "1001"
) -> Supervise:
    asked = {
        "leader": "u2",
        "leader_name": "赵班长",
        "phone": "1900",
        "act": act,
        "agent": agent,
        "call": call,
        "reason": "带教",
        "confirmed": confirmed,
    }
    return msgspec.convert({"type": "supervise", **asked}, Supervise)


@pytest.fixture
async def live(settings: Settings) -> AsyncIterator[LiveBridge]:
    async with LiveBridge(settings) as made:
        await made.make_ready("1001", "1002")
        yield made


async def until_kept(web: Database, wanted: Callable[[list[ActRow]], bool]) -> list[ActRow]:
    until_mono = time.monotonic() + WAIT_S
    acts: list[ActRow] = []
    while time.monotonic() < until_mono:
        acts = await Acts(web).since(LONG_AGO, agent=None, most=10)
        if wanted(acts):
            return acts
        await asyncio.sleep(0.05)
    raise AssertionError(f"not kept: {acts}")


async def refusal(live: LiveBridge, asked: Supervise) -> str:
    with pytest.raises(CommandRefused) as refused:
        await live.ask(asked)
    return refused.value.code


async def test_who_listened_to_whom_why_and_from_when_to_when_is_kept(
    live: LiveBridge, web: Database
) -> None:
    call = await live.answered_call()
    for mode in ("listen", "whisper", "join"):
        assert await live.ask(wish(mode, call)) == b'"ringing"'
    assert sorted(mode for _, mode in live.switch.acts.values()) == ["join", "listen", "whisper"]
    await until_kept(web, lambda acts: len(acts) == 3 and all(a.answered_at for a in acts))
    await live.restart()  # a bridge that starts in the middle of it goes on watching
    live.switch.leader_hangs_up()
    acts = await until_kept(web, lambda acts: all(act.ended_at for act in acts))
    first = acts[-1]
    assert (first.leader_name, first.agent, first.call, first.act, first.reason) == (
        *("赵班长", "1001", call, "listen"),
        "带教",
    )
    assert first.answered_at is not None
    assert first.ended_at is not None
    assert first.at <= first.answered_at <= first.ended_at


async def test_nobody_listens_to_a_call_that_is_not_the_one_they_saw(live: LiveBridge) -> None:
    assert await refusal(live, wish("listen", CallId("other"))) == "supervision_no_talk"
    call = await live.answered_call()
    assert await refusal(live, wish("listen", CallId("other"))) == "supervision_no_talk"
    live.switch.hang_up(call)
    await live.until_view(lambda view: view.me.state == "wrap_up", what="wrap-up")
    assert await refusal(live, wish("take_over", call)) == "supervision_no_talk"
    assert await refusal(live, wish("pause", agent="9999")) == "agent_unknown"
    assert live.switch.acts == {}


async def test_a_caller_who_is_taken_over_stays_and_the_agent_wraps_up(live: LiveBridge) -> None:
    call = await live.answered_call()
    assert await live.ask(wish("take_over", call)) == b'"ringing"'
    await live.until_view(lambda view: view.me.state == "wrap_up", what="wrap-up")
    assert call in live.switch.snapshot().calls


async def test_a_forced_sign_out_waits_for_the_citizen_and_only_after_a_confirmation(
    live: LiveBridge, web: Database
) -> None:
    call = await live.answered_call()
    assert await refusal(live, wish("sign_out")) == "supervision_citizen_talks"
    assert await live.ask(wish("sign_out", confirmed=True)) == b'"after_call"'
    view = await live.view()
    assert view is not None
    assert view.me.state == "talking"
    live.switch.hang_up(call)
    await live.until_view(lambda view: view.me.state == "offline", what="signed out")
    assert await live.ask(wish("pause", agent="1002")) == b'"done"'
    await live.until_view(lambda view: view.me.state == "paused", "1002", "paused")
    acts = await until_kept(web, lambda acts: len(acts) == 2)
    assert [act.act for act in acts] == ["pause", "sign_out"]


async def test_an_act_cannot_be_changed_afterwards_not_even_by_the_owner(
    live: LiveBridge, web: Database, owner: Connection
) -> None:
    await live.ask(wish("pause"))
    await until_kept(web, lambda acts: len(acts) == 1)
    with pytest.raises(Exception, match="not changed"):
        await owner.execute("DELETE FROM supervision_acts")
    assert len(await Acts(web).since(LONG_AGO, agent=AgentId("1001"), most=10)) == 1
    assert not await Acts(web).since(LONG_AGO, agent=AgentId("1002"), most=10)
