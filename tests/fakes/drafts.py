"""Readers of drafts without the process of their own: the real reading, and none."""

from collections.abc import Sequence
from datetime import datetime

from transcription.draft import extract
from transcription.draft_ticket import Draft, Utterance


async def draft_here(utterances: Sequence[Utterance], caller_number: str, now: datetime) -> Draft:
    """Read in this process."""
    return extract(utterances, caller_number=caller_number, now=now)


async def no_draft(_utterances: Sequence[Utterance], _number: str, _now: datetime) -> Draft:
    """Understand nothing."""
    return Draft({})
