"""A call that an agent has answered: its words, its draft and the streams they come from."""

from dataclasses import dataclass, field
from datetime import datetime

from base.ids import AgentId, StreamId
from server.live.call_facts import Party
from server.live.calls import LiveCall, warnings
from server.live.dangers import CallDangers
from server.live.drafting import CallDraft
from server.live.records import StoredCall
from server.live.transcript import Transcript
from server.push.protocol import (
    CallCard,
    ConsentState,
    DeskView,
    OutsideKind,
    PartyCard,
    PartyState,
    SpeechState,
)
from transcription.draft_ticket import FieldName, Speaker


@dataclass(slots=True)
class Conversation:
    """Lives from the answer to the end of the wrap-up."""

    call: LiveCall
    agent: AgentId
    answered_at: datetime
    transcript: Transcript
    draft: CallDraft
    dangers: CallDangers
    streams: dict[StreamId, Speaker] = field(default_factory=dict)
    """The streams whose sound flows now, as far as is known: one a leg."""
    late_legs: set[Speaker] = field(default_factory=set)
    """Legs that are heard from the recording after the call."""
    missed: set[StreamId] = field(default_factory=set)
    """Of these, those that Asterisk did not show when it was last asked."""
    quiet_streams: dict[StreamId, Speaker] = field(default_factory=dict)
    """Streams given up because no sound came: what they may still tell is not listened to."""
    ended_streams: set[StreamId] = field(default_factory=set)
    """Streams that told their end; their forks may still stand for a moment."""
    quiet_legs: set[Speaker] = field(default_factory=set)
    """Legs whose sound is lost, and not heard again yet."""
    is_forking: bool = False
    forks_made: int = 0
    fork_again_mono: float = 0.0
    speech: SpeechState = "waiting"
    engine: str | None = None
    model: str | None = None
    draft_read_mono: float = 0.0
    is_draft_due: bool = False
    """Whether there are words that the draft has not been read from yet."""
    is_reading_draft: bool = False
    has_draft_failed: bool = False
    """The last reading; it is tried again."""
    consent_for: tuple[OutsideKind, ...] = ()
    consent_script: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nobody talks any more."""
        return self.call.ended_at is not None

    @property
    def legs_missing(self) -> set[Speaker]:
        """Legs whose sound does not flow."""
        return set(Speaker) - set(self.streams.values())

    def go_on(self) -> None:
        """With another agent: the caller's stream may still stand, the former agent's does not."""
        self.speech, self.fork_again_mono = "waiting", 0.0
        self.streams = {s: leg for s, leg in self.streams.items() if leg is Speaker.CITIZEN}
        self.quiet_legs.discard(Speaker.AGENT)

    def quiet_forks(self, leg: Speaker) -> int:
        """How often the leg was forked anew because no sound came."""
        return list(self.quiet_streams.values()).count(leg)

    def restore(self, stored: StoredCall) -> None:
        """Go on from what the records hold."""
        self.transcript.restore(stored.lines)
        self.engine, self.model = stored.engine or self.engine, stored.model or self.model
        if stored.facts.answered_at is not None:
            self.answered_at = self.transcript.answered_at = stored.facts.answered_at
        if self.call.consent is None:
            self.call.consent = stored.consent
        if stored.draft is None:
            return
        draft = self.draft
        draft.version, draft.machine = stored.draft.version, stored.draft.machine
        draft.edits = dict(stored.draft.edits)
        if stored.draft.ticket_number is not None:
            draft.settle("entered", stored.draft.ticket_number)

    def restore_shown(self, shown: DeskView) -> None:
        """Take what the desk showed and the records do not hold yet."""
        self.transcript.restore(shown.lines)
        self.dangers.restore(shown.dangers)
        if shown.call is not None:
            self.answered_at = self.transcript.answered_at = shown.call.answered_at
            self.engine, self.model = shown.call.engine, shown.call.model
            if self.call.consent is None and shown.call.consent != "unasked":
                self.call.consent = shown.call.consent == "given"
        if shown.draft is None or shown.draft.version <= self.draft.version:
            return
        self.draft.version = shown.draft.version
        self.draft.edits = {
            FieldName(name): field.value
            for name, field in shown.draft.fields.items()
            if field.by == "agent" and name in set(FieldName)
        }
        if shown.draft.saved != "draft" and self.draft.saved != "entered":
            self.draft.settle(shown.draft.saved, shown.draft.ticket_number)

    def card(self) -> CallCard:
        """As the desk shows it."""
        call = self.call
        return CallCard(
            call=call.call,
            caller_number=call.caller_number,
            caller_name=call.caller_name,
            queue=call.queue,
            answered_at=self.answered_at,
            ended_at=call.ended_at,
            speech=self.speech,
            engine=self.engine,
            model=self.model,
            former_calls=call.history.calls,
            former_tickets=call.history.tickets,
            warnings=warnings(call.caller_number, call.history),
            emergency=call.emergency,
            is_held="agent" in call.holders,
            party=_party_card(call.party),
            consent=_CONSENTS[call.consent],
            consent_for=list(self.consent_for),
            consent_script=self.consent_script,
            is_recording_paused=call.recording_paused_at is not None,
        )


_CONSENTS: dict[bool | None, ConsentState] = {None: "unasked", True: "given", False: "refused"}


def _party_card(party: Party | None) -> PartyCard | None:
    if party is None:
        return None
    state: PartyState = "ringing"
    if party.joined_at is not None:
        state = "joined"
    elif party.answered_at is not None:
        state = "talking"
    return PartyCard(number=party.number, kind=party.kind, state=state)
