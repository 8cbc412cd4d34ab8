"""A leg that was not heard live gets its words from the recording: listed, leased, stored once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from datetime import UTC, datetime
from typing import cast

import pytest
from structlog.testing import capture_logs

from base.database import Connection, Database
from base.ids import CallId, StreamId
from server.live.records import CallFacts, LateLine
from server.live.speech_feed import CURSOR_KEY, SpeechFeed
from server.records.late_legs import LateLegs
from server.records.postgres import PostgresRecords
from server.settings import Settings
from tests.fakes.live_bridge import LiveBridge, until
from transcription.draft_ticket import Speaker
from transcription.engine import SpeechEvent, SpeechEventKind
from transcription.wire import (
    LATE_LEGS_KEY,
    LateLeg,
    LegHeard,
    StreamEnded,
    StreamEndReason,
    decode_late_leg,
)

WAIT_S = 20.0


@pytest.fixture
async def live(settings: Settings) -> AsyncIterator[LiveBridge]:
    async with LiveBridge(settings) as made:
        await made.make_ready("1001")
        await made.until_view(lambda view: view.links.speech == "up", what="speech")
        yield made


async def end_stream(
    live: LiveBridge, call: CallId, speaker: Speaker, reason: StreamEndReason
) -> None:
    await live.tell(
        StreamEnded(
            stream=live.streams(call)[speaker],
            call=call,
            speaker=speaker,
            reason=reason,
            bytes_received=0,
            at=datetime.now(UTC),
        )
    )


async def next_leg(live: LiveBridge) -> LateLeg:
    async with asyncio.timeout(WAIT_S):
        while True:
            raw = await cast("Awaitable[bytes | None]", live.redis.lpop(LATE_LEGS_KEY))
            if raw is not None:
                return decode_late_leg(raw)
            await asyncio.sleep(0.05)


def heard(leg: LateLeg, *said: tuple[str, float, float], failure: str = "") -> LegHeard:
    return LegHeard(
        stream=leg.stream,
        call=leg.call,
        speaker=leg.speaker,
        engine="fake",
        model="late",
        at=datetime.now(UTC),
        utterances=tuple(
            SpeechEvent(SpeechEventKind.FINAL, number, 0, text, start_s, end_s)
            for number, (text, start_s, end_s) in enumerate(said)
        ),
        failure=failure,
    )


async def hang_up(live: LiveBridge, call: CallId) -> None:
    """The call ends, and Asterisk leaves its recording."""
    raw = live.settings.recordings_dir / f"{call}.raw"
    raw.write_bytes(bytes(32_000))
    live.switch.hang_up(call)
    await live.until_view(lambda v: v.call is not None and v.call.ended_at is not None)


async def test_refused_leg_is_written_on_the_desk_after_the_call_and_stored_once(
    live: LiveBridge, owner: Connection
) -> None:
    call = await live.answered_call()
    agent = await live.begin(call, Speaker.AGENT)
    await end_stream(live, call, Speaker.CITIZEN, StreamEndReason.REFUSED)
    await live.until_view(lambda v: v.call is not None and v.call.speech == "refused")
    await live.say(call, agent, 0, "您好", Speaker.AGENT)
    view = await live.until_view(lambda v: live.texts(v) == ["您好"])
    greeted_s = view.lines[0].end_s
    await hang_up(live, call)
    await end_stream(live, call, Speaker.AGENT, StreamEndReason.CLOSED)
    leg = await next_leg(live)
    assert (leg.call, leg.speaker, leg.recording) == (call, Speaker.CITIZEN, f"{call}.wav")
    told = heard(leg, ("人民路的水管爆了", greeted_s + 1, greeted_s + 3))
    await live.tell(told)
    view = await live.until_view(lambda v: len(v.lines) == 2)
    assert live.texts(view) == ["您好", "人民路的水管爆了"]
    view = await live.until_view(lambda v: v.call is not None and v.call.speech == "ended")
    view = await live.until_view(lambda v: v.draft is not None and "demand" in v.draft.fields)
    with capture_logs() as logs:
        await live.tell(told)  # Redis gave it twice
        await live.tell(heard(leg, ("另一句", 8.0, 9.0)))  # and another speaks in its name
        await until(lambda: [line["event"] for line in logs].count("late_leg_known") == 2)
    stored = await owner.fetch("SELECT speaker, text, model FROM utterances ORDER BY start_s")
    assert [tuple(row) for row in stored] == [
        ("agent", "您好", "m"),
        ("citizen", "人民路的水管爆了", "late"),
    ]
    assert await owner.fetchval("SELECT count(*) FROM late_legs WHERE done_at IS NULL") == 0


async def test_leg_that_broke_keeps_what_was_heard_and_gets_the_rest(
    live: LiveBridge, owner: Connection
) -> None:
    call = await live.answered_call()
    citizen = await live.begin(call)
    await live.begin(call, Speaker.AGENT)
    await live.say(call, citizen, 0, "水管爆了")
    view = await live.until_view(lambda v: live.texts(v) == ["水管爆了"])
    began_s, ended_s = view.lines[0].start_s, view.lines[0].end_s
    await end_stream(live, call, Speaker.CITIZEN, StreamEndReason.BROKEN)
    await end_stream(live, call, Speaker.AGENT, StreamEndReason.CLOSED)
    await hang_up(live, call)
    leg = await next_leg(live)
    assert leg.speaker is Speaker.CITIZEN
    said = ("水管爆了", began_s + 0.1, ended_s), ("在人民路", ended_s + 2, ended_s + 3)
    await live.kill()  # the result finds a new bridge
    await live.tell(heard(leg, *said))
    live.start()
    view = await live.until_view(lambda v: len(v.lines) == 2)
    assert live.texts(view) == ["水管爆了", "在人民路"]
    stored = await owner.fetch("SELECT number, text FROM utterances ORDER BY number")
    assert [tuple(row) for row in stored] == [(0, "水管爆了"), (1, "在人民路")]


async def test_a_bridge_that_dies_at_once_is_followed_by_one_that_misses_nothing(
    live: LiveBridge,
) -> None:
    await live.kill()
    await live.redis.delete(CURSOR_KEY)
    first = SpeechFeed(live.redis)
    await first.read(block_ms=1)
    leg = LateLeg(
        stream=StreamId("s"), call=CallId("c"), speaker=Speaker.CITIZEN, recording="", talk_s=1.0
    )
    told = heard(leg, ("水管爆了", 0.0, 1.0))
    await live.tell(told)
    assert await SpeechFeed(live.redis).read(block_ms=1) == [told]


def facts(call: str, ended_s: int) -> CallFacts:
    at = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
    return CallFacts(
        call=CallId(call),
        caller_number="13800138000",
        caller_name="",
        called_number="12345",
        arrived_at=at,
        answered_at=at.replace(second=10),
        ended_at=at.replace(minute=1, second=ended_s),
    )


async def test_leases_are_given_newest_first_one_holder_each_and_again_after_a_failure(
    bridge: Database, owner: Connection
) -> None:
    records, legs = PostgresRecords(bridge), LateLegs(bridge)
    for name, ended_s in (("old-1.1", 10), ("new-1.1", 40), ("unrecorded-1.1", 50)):
        await records.keep_call(facts(name, ended_s))
        if name != "unrecorded-1.1":
            await records.keep_recording(CallId(name), f"{name}.wav", "0" * 64)
        for _ in range(2):
            await records.want_late_leg(CallId(name), Speaker.CITIZEN)
    given = [await legs.lease(StreamId(str(number)), tries_most=2) for number in range(3)]
    assert [leg and (leg.call, leg.talk_s) for leg in given] == [
        ("new-1.1", 90.0),
        ("old-1.1", 60.0),
        None,
    ]
    await legs.put_back(StreamId("1"))
    assert await legs.lease(StreamId("soon"), tries_most=2) is None
    await owner.execute("UPDATE late_legs SET leased_until = now() - interval '1 s'")
    again = [await legs.lease(StreamId(f"again-{number}"), tries_most=2) for number in range(3)]
    assert [leg and leg.call for leg in again] == ["new-1.1", "old-1.1", None]
    first, late = again[0], given[0]
    assert first is not None
    assert late is not None
    assert not await legs.finish(heard(late), [])
    assert await legs.finish(heard(first), list[LateLine]())
    assert not await legs.finish(heard(first), [])
    await owner.execute("UPDATE late_legs SET leased_until = now() - interval '1 s'")
    assert await legs.lease(StreamId("too-often"), tries_most=2) is None
