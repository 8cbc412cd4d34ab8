"""One call's draft: the machine's reading and the agent's corrections, merged for the page.

A field the agent has touched belongs to the agent: the machine's later readings of it are kept
(they are stored beside the correction) but not shown.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Literal

from base.errors import HotlineError
from base.ids import CallId
from server.push.protocol import DraftView, EvidenceSpan, FieldView
from transcription.draft_ticket import Draft, DraftField, FieldName, Utterance

Extract = Callable[[Sequence[Utterance], str, datetime], Awaitable[Draft]]
"""(utterances by time, the caller's number, now) → draft; raises ``DraftNotRead``."""

MOST_VALUE_CHARS = 2000


class UnknownField(HotlineError):
    """The draft has no such field."""

    code: ClassVar[str] = "draft_field_unknown"
    http_status: ClassVar[int] = 422


class ValueTooLong(HotlineError):
    """The value is longer than a draft field may be."""

    code: ClassVar[str] = "draft_value_too_long"
    http_status: ClassVar[int] = 422


class DraftConfirmed(HotlineError):
    """The draft is confirmed; it is a ticket now and changes there."""

    code: ClassVar[str] = "draft_confirmed"
    http_status: ClassVar[int] = 409


@dataclass(slots=True)
class CallDraft:
    """The draft of one call."""

    call: CallId
    caller_number: str
    version: int = 0
    machine: Draft = field(default_factory=lambda: Draft(fields={}))
    edits: dict[FieldName, str] = field(default_factory=dict)
    ticket_number: str | None = None
    saved: Literal["draft", "kept_on_disk", "entered"] = "draft"

    def take(self, machine: Draft) -> bool:
        """Take a new reading of the words; whether anything changed."""
        if self.saved != "draft" or machine == self.machine:
            return False
        self.machine = machine
        self.version += 1
        return True

    def edit(self, name: str, value: str) -> None:
        """Take an agent's correction of one field."""
        if self.saved != "draft":
            raise DraftConfirmed(call=self.call)
        if name not in set(FieldName):
            raise UnknownField(field=name)
        if len(value) > MOST_VALUE_CHARS:
            raise ValueTooLong(field=name, most=MOST_VALUE_CHARS)
        self.edits[FieldName(name)] = value
        self.version += 1

    def settle(self, saved: Literal["kept_on_disk", "entered"], number: str | None) -> None:
        """The confirmation is safe: on disk while PostgreSQL is away, or as a ticket."""
        self.saved = saved
        self.ticket_number = number
        self.version += 1

    def view(self) -> DraftView:
        """As the page shows it."""
        fields = {name.value: _machine_view(value) for name, value in self.machine.fields.items()}
        for name, value in self.edits.items():
            below = self.machine.fields.get(name)
            evidence = _machine_view(below).evidence if below is not None else []
            fields[name.value] = FieldView(
                value=value, by="agent", confidence=1.0, evidence=evidence
            )
        return DraftView(
            call=self.call,
            version=self.version,
            fields=fields,
            ticket_number=self.ticket_number,
            saved=self.saved,
        )


def _machine_view(value: DraftField) -> FieldView:
    spans = [
        EvidenceSpan(
            line=f"{span.speaker}-{span.utterance}", start=span.start, end=span.end, text=span.text
        )
        for span in value.evidence
    ]
    return FieldView(value=value.value, by="machine", confidence=value.confidence, evidence=spans)
