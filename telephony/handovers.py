"""Hand-overs to 110, 119, 120 and 122, read from Asterisk's own book (CEL) and from nowhere else.

The dialplan writes what it does there, whether we run or not, so a hand-over made while everything
of ours was dead is told like any other. ``assemble`` is pure; ``read_handovers`` reads files and
belongs in a thread.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl

from base.ids import AgentId, CallId
from telephony.books import CEL, QUEUE_LOG, Row, read_book
from telephony.naming import agent_of_channel, agent_of_interface, instant, known_number

LONGEST_HANDOVER: Final = timedelta(hours=12)


class HandoverOutcome(StrEnum):
    """What became of it."""

    RINGING = "ringing"
    """The line has not answered yet."""
    ANSWERED = "answered"
    """The line spoke with them."""
    UNREACHED = "unreached"
    """No trunk reached the line: the caller went, or stayed, with an agent."""
    GIVEN_UP = "given_up"
    """Who asked hung up before the line answered."""
    NO_CHOICE = "no_choice"
    """The key was pressed and no line chosen: to an agent at once."""


@dataclass(frozen=True, slots=True)
class Try:
    """A trunk that did not reach the line; ``status`` and ``cause`` are Asterisk's."""

    trunk: str
    status: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """One attempt to reach an emergency line for somebody."""

    handover: str
    call: CallId
    """The caller's; where an agent's phone dialled the line by itself, that phone's own."""
    line: str
    """Empty where none was chosen."""
    source: str
    """greeting, waiting: the key. direct: dialled by the citizen. agent: by an agent's phone.
    transfer: sent there by an agent. button: warm, the agent staying."""
    agent: AgentId | None
    caller_number: str
    caller_name: str
    asked_at: datetime
    tries: tuple[Try, ...] = ()
    trunk: str | None = None
    """The one that reached the line."""
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: HandoverOutcome = HandoverOutcome.RINGING


def read_handovers(log_dir: Path, since: datetime) -> list[Handover]:
    """Those asked for since then, oldest first. ``log_dir`` is Asterisk's own."""
    return assemble(
        read_book(log_dir, CEL, since=since, holding=b'"Emergency'),
        read_book(log_dir, QUEUE_LOG, since=since, holding=b"QUEUESTART"),
    )


def assemble(cel: Iterable[Row], queue_log: Iterable[Row] = ()) -> list[Handover]:
    """The hand-overs that the rows tell of; one whose beginning is missing is not told."""
    found: dict[str, Handover] = {}
    for row in cel:
        at = instant(row[1])
        if at is not None and row[0].startswith("Emergency"):
            _take(found, row[0], told_of(row[8]), at)
    for row in queue_log:
        at = instant(row[0])
        if at is not None and row[4] == "QUEUESTART":
            _switch_began_anew(found, at)
    return sorted(found.values(), key=lambda each: each.asked_at)


def told_of(extra: str) -> dict[str, str]:
    """The fields behind a row: percent-encoded pairs within Asterisk's JSON."""
    try:
        whole = json.loads(extra)
    except ValueError:
        return {}
    text = whole.get("extra") if isinstance(whole, dict) else None
    return dict(parse_qsl(text, keep_blank_values=True)) if isinstance(text, str) else {}


def _take(found: dict[str, Handover], kind: str, told: dict[str, str], at: datetime) -> None:
    key = told.get("handover", "")
    known = found.get(key)
    match kind:
        case "EmergencyDialled" | "EmergencyUnspecified" if key and known is None:
            new = _begun(key, told, at)
            if kind == "EmergencyUnspecified":
                new = replace(new, outcome=HandoverOutcome.NO_CHOICE, ended_at=at)
            found[key] = new
        case "EmergencyTried" if known is not None:
            tried = Try(told.get("trunk", ""), told.get("status", ""), told.get("cause", ""))
            found[key] = replace(known, tries=(*known.tries, tried))
        case "EmergencyConnected" if known is not None:
            found[key] = replace(
                known,
                trunk=told.get("trunk"),
                answered_at=known.answered_at or at,
                outcome=HandoverOutcome.ANSWERED,
            )
        case "EmergencyFailed" if known is not None:
            found[key] = replace(known, ended_at=at, outcome=HandoverOutcome.UNREACHED)
        case "EmergencyOver" if known is not None:
            found[key] = _over(known, at)


def _begun(key: str, told: dict[str, str], at: datetime) -> Handover:
    by = told.get("by", "")
    return Handover(
        handover=key,
        call=CallId(told.get("call", "")),
        line=told.get("line", ""),
        source=told.get("source", ""),
        agent=(agent_of_channel(by) or agent_of_interface(by)) if by else None,
        caller_number=known_number(told.get("number", "")),
        caller_name=known_number(told.get("name", "")),
        asked_at=at,
    )


def _over(known: Handover, at: datetime) -> Handover:
    if known.outcome is HandoverOutcome.RINGING:
        known = replace(known, outcome=HandoverOutcome.GIVEN_UP)
    # Both sides tell it; it lasted as long as the line itself.
    return replace(known, ended_at=max(at, known.ended_at or at))


def _switch_began_anew(found: dict[str, Handover], at: datetime) -> None:
    """What stood when Asterisk started again is over, and nothing tells its end."""
    for key, known in found.items():
        if known.ended_at is None and known.asked_at < at:
            found[key] = _over(known, at)
