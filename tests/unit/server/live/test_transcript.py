"""Lines of a call, put together from its streams."""

from datetime import UTC, datetime, timedelta

from base.ids import CallId, StreamId
from server.live.transcript import Transcript
from transcription.draft_ticket import Speaker
from transcription.engine import SpeechEventKind
from transcription.wire import Words

ANSWERED = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
FIRST, AGAIN = StreamId("a"), StreamId("b")


def words(
    text: str,
    *,
    stream: StreamId = FIRST,
    utterance: int = 0,
    revision: int = 0,
    is_final: bool = False,
) -> Words:
    return Words(
        stream=stream,
        call=CallId("c"),
        speaker=Speaker.CITIZEN,
        kind=SpeechEventKind.FINAL if is_final else SpeechEventKind.PARTIAL,
        utterance=utterance,
        revision=revision,
        text=text,
        start_s=1.0,
        end_s=2.0,
    )


def transcript() -> Transcript:
    made = Transcript(answered_at=ANSWERED)
    made.open_stream(FIRST, Speaker.CITIZEN, ANSWERED + timedelta(seconds=0.5))
    return made


def test_times_count_from_the_answer() -> None:
    line = transcript().take(words("您好"))
    assert line is not None
    assert (line.id, line.start_s, line.end_s) == ("citizen-0", 1.5, 2.5)


def test_a_later_revision_replaces_and_an_older_or_repeated_one_tells_nothing() -> None:
    lines = transcript()
    assert lines.take(words("水", revision=1)) is not None
    assert lines.take(words("旧", revision=0)) is None
    assert lines.take(words("水管爆了", revision=2, is_final=True)) is not None
    assert lines.take(words("晚到", revision=3)) is None
    assert [line.text for line in lines.lines.values()] == ["水管爆了"]


def test_a_final_without_words_withdraws_the_guess() -> None:
    lines = transcript()
    lines.take(words("嗯", revision=0))
    withdrawn = lines.take(words("", revision=1, is_final=True))
    assert withdrawn is not None
    assert withdrawn.text == ""
    assert lines.utterances() == []


def test_silence_makes_no_line() -> None:
    assert transcript().take(words("", is_final=True)) is None


def test_a_fork_made_again_goes_on_counting() -> None:
    lines = transcript()
    lines.take(words("第一句", utterance=0, is_final=True))
    lines.open_stream(AGAIN, Speaker.CITIZEN, ANSWERED + timedelta(seconds=30))
    line = lines.take(words("第二句", stream=AGAIN, utterance=0, is_final=True))
    assert line is not None
    assert (line.id, line.start_s) == ("citizen-1", 31.0)
