"""Short calls for the draft's tests: lines of text become utterances in the order given."""

from datetime import UTC, datetime

from transcription.draft import extract
from transcription.draft_ticket import Draft, FieldName, Speaker, Utterance

NOW = datetime(2026, 5, 6, 4, 0, tzinfo=UTC)
"""Noon of a Wednesday in China."""
CALLER = "02588886666"
AGENT = "坐席："


def talk(*lines: str) -> list[Utterance]:
    """Utterances from lines; one that begins with ``坐席：`` is the agent's."""
    counts = dict.fromkeys(Speaker, 0)
    found = []
    for position, line in enumerate(lines):
        speaker = Speaker.AGENT if line.startswith(AGENT) else Speaker.CITIZEN
        text = line.removeprefix(AGENT)
        found.append(Utterance(speaker, counts[speaker], text, position * 4.0, position * 4.0 + 3))
        counts[speaker] += 1
    return found


def draft(*lines: str, home: str | None = None) -> Draft:
    """The draft of a short call."""
    return extract(talk(*lines), caller_number=CALLER, now=NOW, home_region=home)


def value(name: FieldName, *lines: str) -> str | None:
    """One field's value in the draft of a short call."""
    field = draft(*lines).fields.get(name)
    return field.value if field is not None else None


def codes(name: FieldName, *lines: str, home: str | None = None) -> tuple[str, ...]:
    """One field's codes in the draft of a short call."""
    field = draft(*lines, home=home).fields.get(name)
    return field.codes if field is not None else ()
