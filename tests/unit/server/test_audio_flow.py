"""Sound per second over all legs, as the heartbeat tells it."""

import asyncio

from base.ids import StreamId
from server.audio_flow import FlowMeter
from telephony.audio import AudioLeg
from telephony.audio_wire import AudioSocketParser


def leg(bytes_received: int, stalls: int = 0) -> AudioLeg:
    made = AudioLeg(StreamId("s"), AudioSocketParser(), asyncio.StreamReader(), [])
    made.bytes_received, made.stalls = bytes_received, stalls
    return made


async def test_bytes_per_second_count_ended_legs_too() -> None:
    meter, first, second = FlowMeter(), leg(16_000), leg(0, stalls=1)
    assert meter.bytes_per_s([first, second], 100.0) == 0
    first.bytes_received += 48_000
    assert meter.bytes_per_s([first, second], 103.0) == 16_000
    second.bytes_received += 3_200
    meter.forget(second)
    assert meter.bytes_per_s([first], 104.0) == 3_200
    assert meter.quiet_times([first]) == 1
    assert meter.bytes_per_s([first], 104.0) == 0
