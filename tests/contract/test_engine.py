"""The port of ``transcription.engine``, held by every engine behind it, the fake one included."""

import pytest

from tests.fakes.fake_engine import FakeEngine
from tests.fakes.speech_parts import need_model, need_voice
from transcription.engine import Engine, SpeechEvent, SpeechEventKind
from transcription.engines import open_engine

RATE_HZ = 8_000
FRAME_BYTES = 320


@pytest.fixture(scope="module", params=["fake", "vosk", "whisper"])
def engine(request: pytest.FixtureRequest) -> Engine:
    match request.param:
        case "fake":
            return FakeEngine()
        case "vosk":
            model = need_model("demo-zh", "vosk")
        case _:
            model = need_model("whisper-base", "whisper")
    return open_engine(model.engine, model.path, model.name)


@pytest.fixture(scope="module")
def spoken() -> bytes:
    return need_voice("c04") + bytes(RATE_HZ * 2)


def decode(engine: Engine, sound: bytes, *, piece: int = FRAME_BYTES) -> list[SpeechEvent]:
    session = engine.session(RATE_HZ)
    events: list[SpeechEvent] = []
    for at in range(0, len(sound), piece):
        events += session.accept(sound[at : at + piece])
    events += session.finish()
    session.close()
    return events


def finals(events: list[SpeechEvent]) -> str:
    return "".join(event.text for event in events if event.kind is SpeechEventKind.FINAL)


def test_speech_gives_words_and_silence_none(engine: Engine, spoken: bytes) -> None:
    assert finals(decode(engine, spoken))
    assert finals(decode(engine, bytes(RATE_HZ * 2 * 3))) == ""


def test_utterances_and_revisions_count_from_zero_without_a_gap(
    engine: Engine, spoken: bytes
) -> None:
    utterance, revision = 0, 0
    for event in decode(engine, spoken + spoken):
        assert (event.utterance, event.revision) == (utterance, revision)
        is_final = event.kind is SpeechEventKind.FINAL
        utterance, revision = (utterance + 1, 0) if is_final else (utterance, revision + 1)
    assert utterance > 0


def test_times_run_on_across_utterances(engine: Engine, spoken: bytes) -> None:
    said = [e for e in decode(engine, spoken + spoken) if e.kind is SpeechEventKind.FINAL]
    starts = [event.start_s for event in said]
    assert starts == sorted(starts)
    assert said[-1].end_s > len(spoken) / 2 / RATE_HZ
    assert all(event.start_s <= event.end_s for event in said)


def test_no_space_stands_between_chinese_words(engine: Engine, spoken: bytes) -> None:
    assert all(" " not in event.text for event in decode(engine, spoken))


def test_words_lie_in_order_and_their_confidence_is_a_share(engine: Engine, spoken: bytes) -> None:
    for event in decode(engine, spoken):
        if event.kind is SpeechEventKind.FINAL and engine.capabilities.word_times:
            starts = [word.start_s for word in event.words]
            assert starts == sorted(starts)
        for word in event.words:
            assert word.confidence is None or 0 <= word.confidence <= 1


def test_sound_may_be_cut_anywhere(engine: Engine, spoken: bytes) -> None:
    whole = finals(decode(engine, spoken, piece=len(spoken)))
    assert finals(decode(engine, spoken, piece=317)) in (whole, finals(decode(engine, spoken)))


def test_an_engine_that_does_not_stream_stays_silent_until_the_end(
    engine: Engine, spoken: bytes
) -> None:
    session = engine.session(RATE_HZ)
    heard = session.accept(spoken)
    session.close()
    assert engine.capabilities.streaming or heard == []


def test_two_sessions_of_one_engine_do_not_hear_each_other(engine: Engine, spoken: bytes) -> None:
    busy, quiet = engine.session(RATE_HZ), engine.session(RATE_HZ)
    busy.accept(spoken)
    quiet.accept(bytes(RATE_HZ * 2))
    assert "".join(event.text for event in quiet.finish()) == ""
    assert busy.finish() is not None
    busy.close()
    quiet.close()


def test_a_session_may_be_closed_at_any_time_and_twice(engine: Engine) -> None:
    session = engine.session(RATE_HZ)
    session.accept(bytes(FRAME_BYTES))
    session.close()
    session.close()
