"""Finds where the live picture has drifted from Asterisk's own: pure.

Two looks, some time apart. What differs at one look only is on its way; what differs at both in
the same words, while no event touched that call or agent in between, was lost for good: that alone
is drift, and is mended. A picture is never thrown away whole for one lost event.
"""

from dataclasses import dataclass, field
from datetime import datetime

from msgspec.structs import replace

from base.ids import AgentId, AttemptId, CallId
from telephony.events import (
    AgentPauseChanged,
    AgentPhoneChanged,
    AttemptAnswered,
    AttemptBegan,
    AttemptOver,
    TelephonyEvent,
)
from telephony.snapshot import Agent, Attempt, Call, Snapshot, changes

Subject = CallId | AgentId | AttemptId
_Seen = tuple[frozenset[str], Call | Attempt | Agent | None]
"""What differs, in words, and what we believed then."""


@dataclass(slots=True)
class Audit:
    """Remembers what looked wrong the last time."""

    _suspects: dict[Subject, _Seen] = field(default_factory=dict)

    @property
    def has_suspects(self) -> bool:
        """Whether another look is wanted soon."""
        return bool(self._suspects)

    def forget(self) -> None:
        """The picture was made anew: what looked wrong before means nothing now."""
        self._suspects = {}

    def look(
        self, live: Snapshot, truth: Snapshot, *, at: datetime
    ) -> tuple[Snapshot, list[TelephonyEvent]]:
        """Compare; the mended picture and the events that lead there."""
        found = _differences(changes(live, truth, at=at))
        drifted = [
            subject
            for subject, kinds in found.items()
            if self._suspects.get(subject) == (kinds, _known(live, subject))
        ]
        self._suspects = {
            subject: (kinds, _known(live, subject))
            for subject, kinds in found.items()
            if subject not in drifted
        }
        if not drifted:
            return live, []
        mended = _mend(live, truth, set(drifted))
        return mended, changes(live, mended, at=at)


def _differences(events: list[TelephonyEvent]) -> dict[Subject, frozenset[str]]:
    found: dict[Subject, frozenset[str]] = {}
    for event in events:
        subject: Subject
        if isinstance(event, AgentPhoneChanged | AgentPauseChanged):
            subject = event.agent
        elif isinstance(event, AttemptBegan | AttemptAnswered | AttemptOver):
            subject = event.attempt
        else:
            subject = event.call
        found[subject] = found.get(subject, frozenset()) | {_words(event)}
    return found


def _words(event: TelephonyEvent) -> str:
    """An event without its instant, which is the look's."""
    return repr(replace(event, at=datetime.min))


def _known(live: Snapshot, subject: Subject) -> Call | Attempt | Agent | None:
    return (
        live.calls.get(CallId(subject))
        or live.attempts.get(AttemptId(subject))
        or live.agents.get(AgentId(subject))
    )


def _mend(live: Snapshot, truth: Snapshot, drifted: set[Subject]) -> Snapshot:
    mended = live
    for subject in drifted:
        call, true_call = live.calls.get(CallId(subject)), truth.calls.get(CallId(subject))
        if true_call is not None:
            mended = mended.with_call(true_call)
        elif call is not None:
            mended = mended.without_call(call)
        elif (attempt := truth.attempts.get(AttemptId(subject))) is not None:
            mended = mended.with_attempt(attempt)
        elif AttemptId(subject) in live.attempts:
            mended = mended.without_attempt(AttemptId(subject))
        elif (agent := truth.agents.get(AgentId(subject))) is not None:
            mended = mended.with_agent(agent)
    return mended
