"""Calls that came or ended while nobody listened, found again in Asterisk's own books.

CEL tells when the caller's channel began, entered a queue, met an agent and ended; queue_log which
queue and agent it was; CDR the caller's name and the emergency line. Each may be missing: what is
left still gives a call. ``assemble`` is pure; ``read_past_calls`` reads files and belongs in a
thread. Independent of the manager link.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from base.ids import AgentId, CallId
from telephony.books import CDR, CEL, QUEUE_LOG, Row, read_book
from telephony.events import Outcome
from telephony.handovers import told_of
from telephony.naming import agent_of_channel, agent_of_interface, began_at, instant

LONGEST_CALL: Final = timedelta(hours=12)
"""A call that ended after ``since`` began at most this long before."""

_TRUNK: Final = "PJSIP/trunk-"
_EMERGENCY: Final = "PJSIP/emergency-"
_NOT_A_NUMBER: Final = re.compile(r"[^0-9+]")
_NAME_OF_CLID: Final = re.compile(r'"(.*)" <')
_MARK_OF_EMERGENCY: Final = "emergency-"


@dataclass(frozen=True, slots=True)
class PastCall:
    """A caller's visit as the books tell it. ``ended_at`` is None while the caller's line stands;
    ``outcome`` is then what it would be if it ended now."""

    call: CallId
    caller_number: str
    caller_name: str
    called_number: str
    arrived_at: datetime
    queue: str | None = None
    """The last one."""
    agent: AgentId | None = None
    """The last one a queue gave the call to; without a queue, the last one in a bridge with it."""
    queued_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: Outcome = Outcome.FAILED
    emergency_line: str = ""


def read_past_calls(log_dir: Path, since: datetime) -> list[PastCall]:
    """Calls under way at ``since`` or later, oldest first. ``log_dir`` is Asterisk's own."""
    begin = since - LONGEST_CALL
    calls = assemble(
        cel=read_book(log_dir, CEL, since=begin),
        queue_log=read_book(log_dir, QUEUE_LOG, since=begin),
        cdr=read_book(log_dir, CDR, since=begin),
    )
    return [call for call in calls if call.ended_at is None or call.ended_at >= since]


def calls_between(log_dir: Path, start: datetime, end: datetime) -> list[PastCall]:
    """Calls that ended while a link was down: the gap from ``start`` to ``end``."""
    return [
        call
        for call in read_past_calls(log_dir, start)
        if call.ended_at is not None and call.ended_at <= end
    ]


def assemble(*, cel: Iterable[Row], queue_log: Iterable[Row], cdr: Iterable[Row]) -> list[PastCall]:
    """The calls that the rows of the three books tell of."""
    calls: dict[str, PastCall] = {}
    for row in cel:
        _take_cel(calls, row)
    for row in queue_log:
        _take_queue_log(calls, row)
    for row in cdr:
        _take_cdr(calls, row)
    return sorted(calls.values(), key=lambda call: call.arrived_at)


def _take_cel(calls: dict[str, PastCall], row: Row) -> None:
    kind, time, linked_id, unique_id, channel, number, exten, app, extra = row[:9]
    at = instant(time)
    if at is None:
        return
    if kind in ("EmergencyDialled", "EmergencyConnected"):
        _take_emergency(calls, kind, told_of(extra))
        return
    call = calls.get(unique_id)
    if call is None and kind == "CHAN_START" and unique_id == linked_id:
        if channel.startswith(_TRUNK):
            number = _NOT_A_NUMBER.sub("", number)
            calls[unique_id] = PastCall(CallId(unique_id), number, "", exten, at)
    elif call is not None:
        calls[unique_id] = _callers_own(call, kind, at, app, channel, extra)
    elif (call := calls.get(linked_id)) is not None and kind == "BRIDGE_ENTER":
        calls[linked_id] = _met(call, channel, at)


def _take_emergency(calls: dict[str, PastCall], kind: str, told: Mapping[str, str]) -> None:
    """By name: the line of a warm hand-over has a linked id of its own until it joins."""
    call = calls.get(told.get("call", ""))
    if call is None:
        return
    if kind == "EmergencyDialled":
        call = replace(call, emergency_line=told.get("line", ""))
    else:
        call = replace(call, outcome=Outcome.EMERGENCY)
    calls[call.call] = call


def _callers_own(
    call: PastCall, kind: str, at: datetime, app: str, channel: str, extra: str
) -> PastCall:
    """What the caller's own channel did."""
    match kind:
        case "APP_START" if app == "Queue":
            return replace(call, queued_at=call.queued_at or at)
        case "HANGUP":
            return _outcome(replace(call, ended_at=at), has_hung_up=_by(extra) == channel)
        case "CHAN_END":
            return replace(call, ended_at=call.ended_at or at)
        case _:
            return call


def _by(extra: str) -> str:
    try:
        told = json.loads(extra)
    except ValueError:
        return ""
    return str(told.get("hangupsource", "")) if isinstance(told, dict) else ""


def _met(call: PastCall, channel: str, at: datetime) -> PastCall:
    """Another channel joined a bridge for this call."""
    if channel.startswith(_EMERGENCY):
        return replace(call, outcome=Outcome.EMERGENCY)
    if not channel.startswith("PJSIP/"):
        return call  # The half of a Local channel is nobody.
    agent = agent_of_channel(channel)
    return _answered(call, agent, at)


def _answered(call: PastCall, agent: AgentId | None, at: datetime) -> PastCall:
    answered = replace(call, agent=agent or call.agent, answered_at=call.answered_at or at)
    return _outcome(answered, has_hung_up=False)


def _outcome(call: PastCall, *, has_hung_up: bool) -> PastCall:
    if call.outcome is Outcome.EMERGENCY:
        return call
    if call.answered_at is not None:
        return replace(call, outcome=Outcome.ANSWERED)
    return replace(call, outcome=Outcome.ABANDONED if has_hung_up else call.outcome)


def _take_queue_log(calls: dict[str, PastCall], row: Row) -> None:
    time, unique_id, queue, member, verb = row[:5]
    at = instant(time)
    if at is not None and verb == "QUEUESTART":
        _switch_began_anew(calls, at)
    call = calls.get(unique_id)
    if call is None and at is not None and verb == "ENTERQUEUE":
        # No CEL: the number is the second of the verb's own fields.
        number = _NOT_A_NUMBER.sub("", row[6]) if len(row) > 6 else ""
        call = PastCall(CallId(unique_id), number, "", "", began_at(CallId(unique_id)) or at)
    if call is None or at is None:
        return
    match verb:
        case "ENTERQUEUE":
            call = replace(call, queue=queue, queued_at=call.queued_at or at)
        case "CONNECT":
            agent = agent_of_interface(member) if "/" in member else AgentId(member)
            call = _answered(replace(call, queue=queue), agent, at)
        case "ABANDON":
            call = _outcome(replace(call, ended_at=call.ended_at or at), has_hung_up=True)
        case "COMPLETECALLER" | "COMPLETEAGENT":
            pass
        case _:
            return
    calls[unique_id] = call


def _switch_began_anew(calls: dict[str, PastCall], at: datetime) -> None:
    """A call that stood when Asterisk started again is over, and no book tells its end."""
    for key, call in calls.items():
        if call.ended_at is None and call.arrived_at < at:
            calls[key] = replace(call, ended_at=at)


def _take_cdr(calls: dict[str, PastCall], row: Row) -> None:
    # Columns: 4 name and number, 11 end, 16 unique id, 17 our mark.
    call = calls.get(row[16])
    if call is None:
        return
    name = _NAME_OF_CLID.match(row[4])
    if name is not None and not call.caller_name:
        call = replace(call, caller_name=name[1])
    if row[17].startswith(_MARK_OF_EMERGENCY):
        call = replace(call, emergency_line=row[17].removeprefix(_MARK_OF_EMERGENCY))
    ended = CDR.when(row)
    calls[row[16]] = call if call.ended_at is not None else replace(call, ended_at=ended)
