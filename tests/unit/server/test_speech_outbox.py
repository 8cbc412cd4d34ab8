"""Words on their way to a Redis that comes and goes."""

import asyncio
from datetime import UTC, datetime
from typing import cast

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisGone

from base.ids import CallId, StreamId
from server import speech_outbox
from server.speech_outbox import SpeechOutbox
from server.streams import RedisValue
from transcription.draft_ticket import Speaker
from transcription.engine import SpeechEventKind
from transcription.wire import SpeechMessage, StreamEnded, StreamEndReason, Words, decode_message

STREAM, CALL = StreamId("s"), CallId("c")


class FakeRedis:
    """Takes entries, or is away."""

    def __init__(self) -> None:
        self.is_away = False
        self.taken: list[SpeechMessage] = []

    async def append(
        self, redis: object, stream: str, fields: dict[str, RedisValue], *, most: int
    ) -> None:
        if self.is_away:
            raise RedisGone("away")
        self.taken.append(decode_message(cast("bytes", fields["m"])))


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeRedis:
    found = FakeRedis()
    monkeypatch.setattr(speech_outbox, "append", found.append)
    return found


def outbox(fake: FakeRedis, most: int = 100) -> SpeechOutbox:
    return SpeechOutbox(cast("Redis", fake), waiting_most=most)


def words(text: str, kind: SpeechEventKind = SpeechEventKind.FINAL) -> Words:
    return Words(
        stream=STREAM,
        call=CALL,
        speaker=Speaker.CITIZEN,
        kind=kind,
        utterance=0,
        revision=0,
        text=text,
        start_s=0.0,
        end_s=1.0,
    )


def ended() -> StreamEnded:
    return StreamEnded(
        stream=STREAM,
        call=CALL,
        speaker=Speaker.CITIZEN,
        reason=StreamEndReason.CLOSED,
        bytes_received=0,
        at=datetime(2026, 11, 22, tzinfo=UTC),
    )


async def test_messages_wait_in_order_while_redis_is_away(fake: FakeRedis) -> None:
    box = outbox(fake)
    running = asyncio.create_task(box.run())
    fake.is_away = True
    sent: list[SpeechMessage] = [words("一"), words("二"), ended()]
    for message in sent:
        box.publish(message)
    await asyncio.sleep(0)
    fake.is_away = False
    async with asyncio.timeout(10):
        while len(box):  # noqa: ASYNC110 — the box tells nobody
            await asyncio.sleep(0.02)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert fake.taken == sent


async def test_guesses_are_dropped_before_words_that_stay(fake: FakeRedis) -> None:
    box = outbox(fake, most=3)
    guess = SpeechEventKind.PARTIAL
    for message in (words("一"), words("猜", guess), words("猜猜", guess), words("二")):
        box.publish(message)
    await box.flush()
    assert fake.taken == [words("一"), words("二")]
    assert box.dropped == 2


async def test_the_oldest_goes_where_nothing_is_a_guess(fake: FakeRedis) -> None:
    box = outbox(fake, most=2)
    messages: list[SpeechMessage] = [words("一"), words("二"), ended()]
    for message in messages:
        box.publish(message)
    await box.flush()
    assert fake.taken == [words("二"), ended()]
