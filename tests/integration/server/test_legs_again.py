"""Legs whose stream ends while the call goes on, and calls that come to another agent."""

from collections.abc import AsyncIterator

import pytest

from base.ids import CallId
from server.live.commands import SetAgentState
from server.settings import Settings
from tests.fakes.live_bridge import LiveBridge, until
from transcription.draft_ticket import Speaker
from transcription.wire import StreamEndReason


@pytest.fixture
async def live(settings: Settings) -> AsyncIterator[LiveBridge]:
    async with LiveBridge(settings) as made:
        await made.make_ready("1001", "1002")
        await made.until_view(lambda view: view.links.speech == "up", what="speech")
        yield made


async def until_speech(live: LiveBridge, speech: str, agent: str = "1001") -> None:
    await live.until_view(
        lambda v: v.call is not None and v.call.speech == speech, agent, what=speech
    )


async def talking(live: LiveBridge) -> CallId:
    call = await live.answered_call()
    for leg in Speaker:
        await live.begin(call, leg)
    await until_speech(live, "live")
    return call


async def answer_by(live: LiveBridge, call: CallId, agent: str) -> None:
    """The caller, whom the last agent left, waits again and is answered."""
    live.switch.queue(call)
    ring = live.switch.ring(call, agent)
    view = await live.until_view(lambda v: v.pop is not None, agent, "the pop")
    assert view.pop is not None
    assert view.pop.caller_number == "13800138000"
    live.switch.answer(call, ring)
    await live.until_view(lambda v: v.call is not None and v.call.call == call, agent)


async def test_a_broken_leg_is_forked_anew_though_its_old_fork_still_stands(
    live: LiveBridge,
) -> None:
    call = await talking(live)
    old = live.streams(call)[Speaker.CITIZEN]
    await live.end_stream(call, old, Speaker.CITIZEN, StreamEndReason.BROKEN)
    await until(lambda: len(live.switch.forks) == 3)
    new = await live.begin(call)
    await until_speech(live, "live")
    await live.say(call, new, 0, "水管爆了")
    await live.until_view(lambda v: live.texts(v) == ["水管爆了"])


async def test_a_refused_leg_stays_told_when_the_other_one_begins(live: LiveBridge) -> None:
    call = await live.answered_call()
    refused = live.streams(call)[Speaker.CITIZEN]
    await live.end_stream(call, refused, Speaker.CITIZEN, StreamEndReason.REFUSED)
    await until_speech(live, "refused")
    other = await live.begin(call, Speaker.AGENT)
    await live.say(call, other, 0, "您好", Speaker.AGENT)
    view = await live.until_view(lambda v: live.texts(v) == ["您好"])
    assert view.call is not None
    assert view.call.speech == "refused"


async def test_a_leg_that_breaks_at_once_is_forked_again_though_the_other_one_begins(
    live: LiveBridge,
) -> None:
    call = await live.answered_call()
    old = await live.begin(call, Speaker.AGENT)
    await live.end_stream(call, old, Speaker.AGENT, StreamEndReason.BROKEN)
    await live.begin(call)
    await until(lambda: len(live.switch.forks) == 3)
    assert live.streams(call)[Speaker.AGENT] != old


async def test_a_fork_that_asterisk_ended_in_a_call_is_made_anew(live: LiveBridge) -> None:
    call = await talking(live)
    old = live.streams(call)[Speaker.CITIZEN]
    live.switch.broken_forks.add(old)
    await live.end_stream(call, old, Speaker.CITIZEN)
    await until_speech(live, "broken")
    await until(lambda: len(live.switch.forks) == 3)
    live.switch.hang_up(call)
    await live.until_view(lambda v: v.me.state == "wrap_up")
    await until_speech(live, "broken")  # the words between follow from the recording


async def test_a_caller_who_comes_to_another_agent_is_heard_there_too(live: LiveBridge) -> None:
    call = await talking(live)
    citizen, first = (live.streams(call)[leg] for leg in (Speaker.CITIZEN, Speaker.AGENT))
    await live.say(call, citizen, 0, "水管爆了")
    await live.until_view(lambda v: live.texts(v) == ["水管爆了"])
    live.switch.agent_leaves(call)
    await live.until_view(lambda v: v.me.state == "wrap_up")
    live.switch.broken_forks.add(first)
    await answer_by(live, call, "1002")
    await until(lambda: len(live.switch.forks) == 3)
    await live.end_stream(call, first, Speaker.AGENT)  # its last words came late
    second = await live.begin(call, Speaker.AGENT)
    assert second != first
    await until_speech(live, "live", "1002")
    await live.ask(SetAgentState(agent="1001", wish="wrapped_up"))
    await live.until_view(lambda v: v.call is None)
    await live.say(call, second, 0, "您好", Speaker.AGENT)
    await live.say(call, citizen, 1, "在人民路")
    view = await live.until_view(lambda v: "在人民路" in live.texts(v), "1002")
    assert sorted(live.texts(view)) == sorted(["水管爆了", "您好", "在人民路"])
    assert view.call is not None
    assert view.call.ended_at is None


@pytest.mark.parametrize("agent", ["1001", "1002"])
async def test_a_caller_whom_the_first_agent_is_done_with_keeps_number_and_words(
    live: LiveBridge, agent: str
) -> None:
    call = await talking(live)
    citizen = live.streams(call)[Speaker.CITIZEN]
    await live.say(call, citizen, 0, "水管爆了")
    await live.until_view(lambda v: live.texts(v) == ["水管爆了"])
    live.switch.agent_leaves(call)
    await live.until_view(lambda v: v.me.state == "wrap_up")
    await live.ask(SetAgentState(agent="1001", wish="wrapped_up"))
    await live.until_view(lambda v: v.call is None)
    await answer_by(live, call, agent)
    await live.say(call, citizen, 1, "在人民路")
    view = await live.until_view(lambda v: "在人民路" in live.texts(v), agent)
    assert live.texts(view) == ["水管爆了", "在人民路"]
