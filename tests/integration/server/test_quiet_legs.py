"""A leg without sound: a hold is left alone, a fault is forked once more and heard later."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from base.ids import CallId
from server.settings import Settings
from tests.fakes.live_bridge import LiveBridge, until
from transcription.draft_ticket import Speaker


@pytest.fixture
async def live(settings: Settings) -> AsyncIterator[LiveBridge]:
    async with LiveBridge(settings) as made:
        await made.make_ready("1001")
        await made.until_view(lambda view: view.links.speech == "up", what="speech")
        yield made


async def talking(live: LiveBridge) -> CallId:
    call = await live.answered_call()
    await live.begin(call)
    await live.begin(call, Speaker.AGENT)
    await live.until_view(lambda v: v.call is not None and v.call.speech == "live")
    return call


async def hold(live: LiveBridge, call: CallId, *, is_held: bool) -> None:
    """The switch's events and the speech role's come on two ways: in life the hold comes first."""
    live.switch.hold(call, is_held=is_held)
    await live.until_view(lambda v: v.call is not None and v.call.is_held is is_held, what="hold")


async def until_speech(live: LiveBridge, speech: str) -> None:
    await live.until_view(lambda v: v.call is not None and v.call.speech == speech, what=speech)


async def test_quiet_of_a_hold_is_no_fault_and_the_words_go_on(live: LiveBridge) -> None:
    call = await talking(live)
    stream = live.streams(call)[Speaker.CITIZEN]
    await hold(live, call, is_held=True)
    for leg in Speaker:
        await live.fall_quiet(call, leg, 30.0)
    await hold(live, call, is_held=False)
    for leg in Speaker:
        await live.fall_quiet(call, leg, 31.0)  # most of it was the hold
    await live.say(call, stream, 0, "我在听")
    view = await live.until_view(lambda v: live.texts(v) == ["我在听"])
    assert view.call is not None
    assert view.call.speech == "live"
    assert len(live.switch.forks) == 2


async def test_leg_without_sound_is_forked_once_more_and_no_word_is_doubled(
    live: LiveBridge,
) -> None:
    call = await talking(live)
    old = live.streams(call)[Speaker.CITIZEN]
    await live.say(call, old, 0, "水管爆了")
    await live.fall_quiet(call, Speaker.CITIZEN, 4.0)
    await live.fall_quiet(call, Speaker.CITIZEN, 6.0)
    await until_speech(live, "broken")
    await until(lambda: len(live.switch.forks) == 3)
    new = live.streams(call)[Speaker.CITIZEN]
    assert new != old
    # As quiet as the old one: not forked again, and not called live because its fork stands.
    await live.fall_quiet(call, Speaker.CITIZEN, 6.0)
    await asyncio.sleep(3)
    await until_speech(live, "broken")
    assert len(live.switch.forks) == 3
    await live.begin(call)
    await until_speech(live, "live")
    await live.say(call, old, 1, "在人民路")  # the old fork comes back to life
    await live.say(call, new, 0, "在人民路")
    await live.say(call, new, 1, "谢谢")
    view = await live.until_view(lambda v: "谢谢" in live.texts(v))
    assert live.texts(view) == ["水管爆了", "在人民路", "谢谢"]


async def test_given_up_fork_is_hung_up_and_a_new_bridge_does_not_listen_to_it(
    live: LiveBridge,
) -> None:
    call = await talking(live)
    old = live.streams(call)[Speaker.CITIZEN]
    await live.fall_quiet(call, Speaker.CITIZEN, 6.0)
    await until(lambda: old in live.switch.broken_forks)
    await until(lambda: len(live.switch.forks) == 3)
    new = await live.begin(call)
    await live.say(call, new, 0, "水管爆了")
    await live.until_view(lambda v: live.texts(v) == ["水管爆了"])
    # It stands again, as if the hang-up had not reached Asterisk.
    live.switch.broken_forks.discard(old)
    await live.restart()
    await live.say(call, old, 1, "水管爆了")
    await live.say(call, new, 1, "谢谢")
    view = await live.until_view(lambda v: "谢谢" in live.texts(v))
    assert live.texts(view) == ["水管爆了", "谢谢"]
    await until(lambda: old in live.switch.broken_forks)
    assert len(live.switch.forks) == 3


async def test_thin_sound_is_forked_anew_and_not_listened_to(live: LiveBridge) -> None:
    call = await talking(live)
    old = live.streams(call)[Speaker.CITIZEN]
    await live.grow_thin(call, Speaker.CITIZEN)
    await until_speech(live, "broken")
    await until(lambda: len(live.switch.forks) == 3)
    assert old in live.switch.broken_forks
    await live.say(call, old, 0, "睡觉")
    new = await live.begin(call)
    await until_speech(live, "live")
    await live.say(call, new, 0, "水管")
    view = await live.until_view(lambda v: bool(v.lines))
    assert live.texts(view) == ["水管"]
    live.switch.hang_up(call)
    await live.until_view(lambda v: v.me.state == "wrap_up")
    await until_speech(live, "broken")  # the words before follow from the recording


async def test_thin_sound_of_a_hold_is_no_fault(live: LiveBridge) -> None:
    call = await talking(live)
    stream = live.streams(call)[Speaker.CITIZEN]
    await hold(live, call, is_held=True)
    await live.grow_thin(call, Speaker.CITIZEN)
    await hold(live, call, is_held=False)
    await live.grow_thin(call, Speaker.CITIZEN)  # most of the window was the hold
    await live.say(call, stream, 0, "我在听")
    view = await live.until_view(lambda v: live.texts(v) == ["我在听"])
    assert view.call is not None
    assert view.call.speech == "live"
    assert len(live.switch.forks) == 2


async def test_leg_without_sound_is_heard_from_the_recording(
    live: LiveBridge,
) -> None:
    call = await talking(live)
    await live.fall_quiet(call, Speaker.CITIZEN, 6.0)
    await until(lambda: len(live.switch.forks) == 3)
    await live.begin(call)
    await until_speech(live, "live")
    live.switch.hang_up(call)
    # "broken" after the end says: the words follow from the recording.
    await live.until_view(lambda v: v.me.state == "wrap_up")
    await until_speech(live, "broken")
