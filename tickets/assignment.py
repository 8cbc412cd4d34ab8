"""A ticket at one unit: its part, its state, its own clocks. Pure data.

The citizen's clock is the ticket's and is never stopped by what happens here; a unit's clock begins
with its own dispatch.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from base.ids import AssignmentId, UnitId, UserId


class Part(StrEnum):
    """What a unit is asked for."""

    SINGLE = "single"
    """The only unit; answers alone."""
    LEAD = "lead"
    """Answers for all (主办、牵头)."""
    ASSIST = "assist"
    """Helps the lead; its contribution goes to the lead (协办、配合)."""
    SEPARATE = "separate"
    """Answers for its own share, beside others (分别交办)."""
    CHILD = "child"
    """Works for the unit above it, which answers (分办)."""


class AssignmentState(StrEnum):
    """Where a ticket is at one unit."""

    SENT = "sent"
    """Dispatched; not signed."""
    SIGNED = "signed"
    """The unit has taken it and handles it."""
    RETURN_ASKED = "return_asked"
    """The unit says it is not its duty; the centre decides."""
    END_ASKED = "end_asked"
    """The unit asks to terminate; the centre decides."""
    FED_BACK = "fed_back"
    """The unit has answered; the centre reviews."""
    ACCEPTED = "accepted"
    """Its feedback passed the review."""
    RETURNED = "returned"
    """Given back with the centre's consent."""
    WITHDRAWN = "withdrawn"
    """Taken away by the centre."""
    TERMINATED = "terminated"
    """Ended at this unit with the centre's consent."""
    STOPPED = "stopped"
    """Ended at this unit: the same facts and reasons again."""
    PAST = "past"
    """Of the ticket's life before new facts opened it again; of a helper asked again in a redo."""


A = AssignmentState
OPEN_STATES = frozenset({A.SENT, A.SIGNED, A.RETURN_ASKED, A.END_ASKED})
"""The unit still owes something."""
HELD_STATES = OPEN_STATES | {A.FED_BACK, A.ACCEPTED}
"""The unit has it, or a review or a redo would give it back to it."""
GONE_STATES = frozenset({A.RETURNED, A.WITHDRAWN, A.PAST})
"""As if it had never been there, but for the record."""
ANSWERING_PARTS = frozenset({Part.SINGLE, Part.LEAD, Part.SEPARATE})
"""Parts whose feedback the centre waits for."""


class CompletionBasis(StrEnum):
    """Why a date of completion stands beside the due time of reply and feedback."""

    NONE = ""
    """It does not."""
    STATUTORY = "statutory"
    """A law sets a longer period (法定期限)."""
    PROMISED = "promised"
    """Circumstances hinder it now; a date was promised (承诺时限)."""


class Outcome(StrEnum):
    """What a unit's final feedback says."""

    DONE = "done"
    """Handled."""
    REJECTED = "rejected"
    """Against law or policy; explained with its basis (R054)."""
    EXPLAINED = "explained"
    """Cannot be solved for objective reasons; explained (Tongliao 18(5))."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """One unit's task of one ticket in one round."""

    id: AssignmentId
    unit: UnitId
    part: Part
    state: AssignmentState = A.SENT
    parent: AssignmentId | None = None
    """For whom it works; of a share: the lost one in whose place it stands."""
    round: int = 1
    """1; raised by each redo."""
    is_designated: bool = False
    """By order of the centre: cannot be returned."""
    dispatched_at: datetime
    dispatched_by: UserId
    sign_due_at: datetime | None = None
    contact_due_at: datetime | None = None
    feedback_due_at: datetime | None = None
    """Reply to the caller and feedback to the centre."""
    completion_due_at: datetime | None = None
    """Beside it, never instead of it (Jinan 24)."""
    completion_basis: CompletionBasis = CompletionBasis.NONE
    signed_at: datetime | None = None
    contact_tries: int = 0
    contacted_at: datetime | None = None
    """When the caller was first reached."""
    interim_at: datetime | None = None
    """When reply and feedback were given although the matter goes on."""
    fed_back_at: datetime | None = None
    caller_told_at: datetime | None = None
    outcome: Outcome | None = None
    reply: str = ""
    """What the caller is told."""

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

    @property
    def is_held(self) -> bool:
        return self.state in HELD_STATES

    @property
    def is_gone(self) -> bool:
        return self.state in GONE_STATES

    @property
    def answers_by(self) -> datetime | None:
        """Nobody who works for it is due later."""
        return self.completion_due_at or self.feedback_due_at

    @property
    def must_answer(self) -> bool:
        """The centre waits for its feedback."""
        return self.part in ANSWERING_PARTS and not self.is_gone
