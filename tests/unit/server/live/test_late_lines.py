"""A recording fills the gaps of what was heard live, and doubles nothing."""

from server.live.late_lines import new_lines, withdrawn
from server.push.protocol import Line
from transcription.draft_ticket import Speaker
from transcription.engine import SpeechEvent, SpeechEventKind, Word


def line(number: int, text: str, start_s: float, end_s: float, *, is_final: bool = True) -> Line:
    return Line(
        id=f"citizen-{number}",
        speaker="citizen",
        number=number,
        revision=3,
        text=text,
        start_s=start_s,
        end_s=end_s,
        is_final=is_final,
        confidence=0.9,
    )


def said(*words: tuple[str, float, float]) -> SpeechEvent:
    parts = tuple(Word(text, start_s, end_s, 0.8) for text, start_s, end_s in words)
    return SpeechEvent(
        kind=SpeechEventKind.FINAL,
        utterance=0,
        revision=0,
        text="".join(word.text for word in parts),
        start_s=parts[0].start_s,
        end_s=parts[-1].end_s,
        words=parts,
        confidence=0.8,
    )


def texts(known: list[Line], *utterances: SpeechEvent) -> list[tuple[int, str]]:
    found = new_lines(known, Speaker.CITIZEN, utterances)
    return [(new.number, new.text) for new, _words in found]


PIPE = said(("水管", 1.0, 1.6), ("爆了", 1.6, 2.3))
PLACE = said(("在", 4.0, 4.3), ("人民路", 4.3, 5.2))


def test_a_refused_leg_gets_all_its_words() -> None:
    assert texts([], PLACE, PIPE) == [(0, "水管爆了"), (1, "在人民路")]


def test_a_leg_that_broke_gets_what_came_after() -> None:
    assert texts([line(0, "水管爆了", 1.1, 2.2)], PIPE, PLACE) == [(1, "在人民路")]


def test_an_utterance_that_broke_in_its_middle_gets_its_rest() -> None:
    whole = said(("水管", 1.0, 1.6), ("爆了", 1.6, 2.3), ("在", 2.9, 3.2), ("人民路", 3.2, 4.1))
    assert texts([line(0, "水管爆了", 1.1, 2.2)], whole) == [(1, "在人民路")]


def test_hearing_again_adds_nothing() -> None:
    first = [new for new, _words in new_lines([], Speaker.CITIZEN, [PIPE, PLACE])]
    assert new_lines(first, Speaker.CITIZEN, [PIPE, PLACE]) == []
    assert texts(first[:1], PIPE, PLACE) == [(1, "在人民路")]


def test_the_other_legs_words_cover_nothing() -> None:
    other = Line("agent-0", "agent", 0, 0, "您好", 1.0, 2.3, is_final=True, confidence=None)
    assert texts([other], PIPE) == [(0, "水管爆了")]


def test_a_guess_without_its_final_covers_nothing_and_is_taken_back() -> None:
    guess = line(0, "水", 1.0, 1.6, is_final=False)
    assert texts([guess], PIPE) == [(1, "水管爆了")]
    (gone,) = withdrawn([guess, line(1, "好", 5, 6)], Speaker.CITIZEN)
    assert (gone.id, gone.text, gone.is_final, gone.revision) == ("citizen-0", "", True, 4)


def test_a_sliver_beside_a_live_line_is_no_word() -> None:
    assert texts([line(0, "水管爆了", 1.0, 2.3)], said(("嗯", 2.55, 2.85))) == []


def test_without_word_times_the_greater_part_decides() -> None:
    bare = SpeechEvent(SpeechEventKind.FINAL, 0, 0, "在人民路", 2.0, 6.0)
    assert texts([line(0, "水管爆了", 1.0, 2.3)], bare) == [(1, "在人民路")]
    assert texts([line(0, "在人民路这里", 1.0, 5.0)], bare) == []
