"""The demo's terminal tells what a newcomer asks about, in order, and each thing once."""

from pathlib import Path

from server.demo.narrator import Narrator
from server.push.protocol import (
    DraftChanged,
    DraftView,
    FieldView,
    Line,
    LineChanged,
    PopWithdrawn,
)


def _line(text: str, *, is_final: bool) -> LineChanged:
    line = Line(
        id="citizen-0",
        speaker="citizen",
        number=0,
        revision=1,
        text=text,
        start_s=0.0,
        end_s=1.0,
        is_final=is_final,
        confidence=None,
    )
    return LineChanged(line=line)


def _draft(place: str, ticket: str | None = None) -> DraftChanged:
    field = FieldView(value=place, by="machine", confidence=0.9, evidence=[])
    return DraftChanged(
        draft=DraftView(
            call="c",
            version=1,
            fields={"place": field},
            ticket_number=ticket,
            saved="entered" if ticket else "draft",
        )
    )


def test_a_growing_draft_is_told_once_the_citizen_has_finished() -> None:
    told: list[str] = []
    narrator = Narrator(told.append)
    narrator.tell(_line("我在朝阳", is_final=False))
    narrator.tell(_draft("朝阳"))
    narrator.tell(_draft("朝阳区建国路"))
    assert told == []
    narrator.tell(_line("我在朝阳区建国路", is_final=True))
    assert told == ["  citizen said: 我在朝阳区建国路", "    draft place: 朝阳区建国路"]
    narrator.tell(_draft("朝阳区建国路", ticket="20261122-000001"))
    assert told[2:] == ["  ticket 20261122-000001"]


def test_an_answered_pop_is_not_told_as_a_loss() -> None:
    told: list[str] = []
    narrator = Narrator(told.append)
    narrator.tell(PopWithdrawn(ring="r", reason="answered"))
    assert told == []
    narrator.tell(PopWithdrawn(ring="r", reason="timeout"))
    assert told == ["  the pop is withdrawn: timeout"]


def test_what_the_citizen_will_say_can_be_read_beforehand() -> None:
    told: list[str] = []
    Narrator(told.append).calls(Path("c01.wav"))
    assert "c01: 您好，我要投诉" in told[0]
