"""What is said of a call that has left its desk: wanted until its streams end, and no longer."""

from datetime import UTC, datetime
from pathlib import Path

from base.ids import AgentId, CallId, StreamId
from server.live.calls import LiveCall
from server.live.conversation import Conversation
from server.live.dangers import CallDangers
from server.live.drafting import CallDraft
from server.live.journal import Journal
from server.live.last_words import LAST_WORDS_WITHIN_S, LastWords
from server.live.scribe import Scribe
from server.live.transcript import Transcript
from tests.fakes.records import FakeRecords
from transcription.draft_ticket import Speaker
from transcription.engine import SpeechEventKind
from transcription.wire import StreamEnded, StreamEndReason, Words

NOW = datetime(2026, 3, 2, tzinfo=UTC)
CALL, STREAM = CallId("hl1-1.0"), StreamId("a")


def left(*streams: StreamId) -> Conversation:
    """A conversation whose desk is done with it, its streams still standing."""
    transcript = Transcript(answered_at=NOW)
    for stream in streams:
        transcript.open_stream(stream, Speaker.CITIZEN, NOW)
    return Conversation(
        call=LiveCall(CALL),
        agent=AgentId("1001"),
        answered_at=NOW,
        transcript=transcript,
        draft=CallDraft(CALL, ""),
        dangers=CallDangers(CALL),
        streams=dict.fromkeys(streams, Speaker.CITIZEN),
    )


def words(text: str, kind: SpeechEventKind = SpeechEventKind.FINAL) -> Words:
    return Words(
        stream=STREAM,
        call=CALL,
        speaker=Speaker.CITIZEN,
        kind=kind,
        utterance=0,
        revision=2 if kind is SpeechEventKind.FINAL else 1,
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
        bytes_received=1,
        at=NOW,
    )


async def made(tmp_path: Path) -> tuple[LastWords, Scribe]:
    scribe = Scribe(FakeRecords(), Journal(tmp_path / "journal"))
    return LastWords(scribe), scribe


async def test_only_final_words_of_streams_that_stood_are_kept(tmp_path: Path) -> None:
    last, scribe = await made(tmp_path)
    last.take(words("nobody waits for them"))
    last.expect(left(STREAM), now_mono=0.0)
    last.take(words("谢", SpeechEventKind.PARTIAL))
    assert scribe.noted == 0
    last.take(words("谢谢"))
    last.take(words("谢谢"))
    assert scribe.noted == 1
    assert last.are_coming(CALL, now_mono=1.0)
    last.take(ended())
    assert not last.are_coming(CALL, now_mono=1.0)
    last.take(words("too late"))
    assert scribe.noted == 1


async def test_a_stream_that_was_given_up_is_not_listened_to_afterwards_either(
    tmp_path: Path,
) -> None:
    last, scribe = await made(tmp_path)
    talk = left(STREAM)
    talk.quiet_streams[STREAM] = talk.streams.pop(STREAM)
    talk.streams[StreamId("b")] = Speaker.CITIZEN
    last.expect(talk, now_mono=0.0)
    last.take(words("睡觉"))
    assert scribe.noted == 0
    assert last.are_coming(CALL, now_mono=1.0)


async def test_a_call_without_streams_is_not_kept(tmp_path: Path) -> None:
    last, _ = await made(tmp_path)
    last.expect(left(), now_mono=0.0)
    assert len(last) == 0


async def test_a_stream_whose_end_nobody_tells_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    last, _ = await made(tmp_path)
    last.expect(left(STREAM), now_mono=0.0)
    assert last.are_coming(CALL, now_mono=LAST_WORDS_WITHIN_S - 0.1)
    assert not last.are_coming(CALL, now_mono=LAST_WORDS_WITHIN_S)
    assert len(last) == 0
