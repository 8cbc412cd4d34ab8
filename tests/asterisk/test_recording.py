"""Every call to the hotline is recorded in two channels, with the product dead as well."""

from pathlib import Path

import numpy as np

from telephony.phone import CallState, answer_after
from telephony.phone.sound import Samples
from tests.asterisk.manager import BareManager
from tests.asterisk.people import AGENT_HZ, CITIZEN_HZ, People, voice
from tests.asterisk.switch import PROMPT_HZ, Switch, hears, until, until_heard


def channels(recording: Path) -> tuple[Samples, Samples]:
    interleaved = np.frombuffer(recording.read_bytes(), dtype="<i2").astype(np.int16)
    return interleaved[0::2], interleaved[1::2]


async def test_left_is_the_caller_and_right_is_what_the_caller_hears(
    people: People, manager: BareManager, asterisk: Switch
) -> None:
    agent = await people.agent("1001")
    agent.on_ring(answer_after(0, play=voice(AGENT_HZ)))
    call = await (await people.citizen()).call("12345")
    taken = await agent.until_ringing(8)
    await taken.until(CallState.UP, timeout_s=5)
    call.play(voice(CITIZEN_HZ))
    await until_heard(call, AGENT_HZ)
    await until_heard(taken, CITIZEN_HZ)
    begun = call.stats.received
    await until(lambda: call.stats.received > begun + 50, why="a second of talk")
    await call.hangup()
    gone = await manager.until("CallGone")
    recording = asterisk.config.recordings_dir / gone["Recording"]

    def is_whole() -> bool:
        """As long as what was heard, but for what a closing file still holds back."""
        length_s = len(channels(recording)[0]) / 8000
        return abs(length_s - call.stats.received * 0.02) < 0.5

    await until(is_whole, why="the recording is closed")
    left, right = channels(recording)
    assert hears(left, CITIZEN_HZ)
    assert not hears(left, AGENT_HZ)
    assert hears(right, AGENT_HZ)
    assert not hears(right, CITIZEN_HZ)
    assert hears(right, PROMPT_HZ["hotline/recording-notice"])
    assert recording.stat().st_mode & 0o077 == 0


async def test_direct_emergency_call_is_not_recorded_here(people: People, asterisk: Switch) -> None:
    """No notice was played; the exchange records its own calls."""
    before = set(asterisk.config.recordings_dir.iterdir())
    exchange = await people.exchange()
    exchange.on_ring(answer_after(0))
    call = await (await people.citizen()).call("110")
    await call.until_answered(5)
    await call.hangup()
    assert set(asterisk.config.recordings_dir.iterdir()) == before
