"""Dangers to life in a call's words, as the desk's red banner and the leaders' wall show them.

They propose a line and never dial it: that is a person's step. What was told stays on the banner
until the words themselves take it back. A dismissal holds for the words it was about: told of
again in a later utterance, the danger is shown anew.
"""

import re
from collections.abc import Container, Sequence
from datetime import datetime
from typing import Final

import structlog
from msgspec.structs import replace

from base.ids import CallId
from server.logging_setup import mask_number
from server.push.protocol import DangerHeard, DangerView, DeskView, EvidenceSpan, WallDanger
from transcription.danger import Danger, find_danger
from transcription.draft_ticket import Utterance

log = structlog.get_logger(__name__)


class CallDangers:
    """What one call's words tell so far."""

    def __init__(self, call: CallId) -> None:
        self._call = call
        self.shown: list[DangerView] = []

    def restore(self, shown: Sequence[DangerView]) -> None:
        """Go on from what a former bridge showed: since when, and what the agent dismissed."""
        self.shown = list(shown)

    def read(self, utterances: Sequence[Utterance], now: datetime) -> bool:
        """Read the words anew; whether the banner changes."""
        before = {danger.kind: danger for danger in self.shown}
        dangers = find_danger(utterances)
        known = {
            danger.kind: before[danger.kind]
            for danger in dangers
            if danger.kind in before and not _is_told_anew(danger, before[danger.kind])
        }
        found = [_view(danger, known.get(danger.kind), now) for danger in dangers]
        if found == self.shown:
            return False
        for danger in found:
            if danger.kind not in known:
                log.warning("danger_shown", call=self._call, danger=danger.kind, line=danger.line)
        self.shown = found
        return True

    def dismiss(self, kinds: Container[str]) -> None:
        """The agent says that these are none; one that is taken back and told again is new."""
        self.shown = [
            replace(danger, is_dismissed=True) if danger.kind in kinds else danger
            for danger in self.shown
        ]


def _is_told_anew(danger: Danger, before: DangerView) -> bool:
    """Whether words later than those dismissed tell of it."""
    return before.is_dismissed and any(
        number > before.last_told.get(speaker.value, -1)
        for speaker, number in danger.last_told.items()
    )


def _view(danger: Danger, before: DangerView | None, now: datetime) -> DangerView:
    spans = [
        EvidenceSpan(
            line=f"{span.speaker}-{span.utterance}", start=span.start, end=span.end, text=span.text
        )
        for span in danger.evidence
    ]
    return DangerView(
        kind=danger.kind.value,
        line=danger.proposed_line,
        confidence=danger.confidence,
        evidence=spans,
        since_at=now if before is None else before.since_at,
        is_dismissed=before is not None and before.is_dismissed,
        last_told={speaker.value: number for speaker, number in danger.last_told.items()},
    )


MOST_HEARD: Final = 40
_DIGITS: Final = re.compile(r"[0-9０-９零〇一二三四五六七八九幺两]{4,}")
"""A telephone's or a card's number, as it is spoken or written."""


def for_wall(desk: DeskView) -> WallDanger | None:
    """The danger of the call on a desk as leaders see it; None where there is none to act on."""
    call = desk.call
    dangers = [danger for danger in desk.dangers if not danger.is_dismissed]
    if call is None or not dangers or call.ended_at is not None or desk.me.state == "wrap_up":
        return None
    if call.emergency is not None and call.emergency.state == "connected":
        return None
    return WallDanger(
        call=call.call,
        agent=desk.me.agent,
        caller_number=mask_number(call.caller_number),
        queue=call.queue,
        since_at=min(danger.since_at for danger in dangers),
        told=[
            DangerHeard(kind=danger.kind, line=danger.line, heard=_heard(danger))
            for danger in dangers
        ],
        emergency=call.emergency,
    )


def _heard(danger: DangerView) -> str:
    words = _DIGITS.sub("****", "…".join(span.text for span in danger.evidence))
    return words if len(words) <= MOST_HEARD else f"{words[: MOST_HEARD - 1]}…"
