"""The working of a due time, line by line: codes with parameters, and their English text.

The same lines serve the citizen, the unit and the supervisor; the browser has the Chinese words.
Codes and parameters are stored with tickets and never renamed. Dates and instants are written as
China's clocks show them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

Param = str | int | bool


class LineCode(StrEnum):
    PERIOD = "period"
    """rule, amount, unit, before: what the pack says."""
    STARTS = "starts"
    """event, at: what it runs from."""
    EVENT_DAY = "event_day"
    """date, counts: whether the day of the event counts."""
    COUNTED = "counted"
    """from, to, kind, name, first, last: days that count, with their numbers."""
    SKIPPED = "skipped"
    """from, to, kind, name: days that do not count, and why."""
    RAN = "ran"
    """from, to, minutes, total: a stretch of time that counts."""
    WAITED = "waited"
    """from, to, why: time that the pack lets stand still."""
    ROLLED = "rolled"
    """date, kind, name, to: the last day is off, so the next working day takes its place."""
    NAMED = "named"
    """date, kind, name: the day that was promised."""
    ENDS = "ends"
    """at, closes: the due time; ``closes`` when it is the end of the working hours."""
    OPENS = "opens"
    """at: a card is shown from the opening of its day."""
    CAPPED = "capped"
    """at: the parent ticket is due earlier, and its part with it."""
    NO_ROOM = "no_room"
    """at: sent too late to be due before the parent ticket, so due with it."""
    PROVISIONAL = "provisional"
    """year: no notice has settled it yet."""


@dataclass(frozen=True, slots=True)
class Line:
    code: LineCode
    params: Mapping[str, Param]


def line(code: LineCode, /, **params: Param | date | datetime) -> Line:
    """A line; ``from_`` is written ``from``, dates and instants as ISO texts."""
    plain = {
        "from" if name == "from_" else name: value.isoformat() if isinstance(value, date) else value
        for name, value in params.items()
    }
    return Line(code, plain)


_TEXTS: Final = {
    LineCode.PERIOD: "{rule}: {amount} {unit_s}{back}",
    LineCode.STARTS: "from {event} at {at}",
    LineCode.EVENT_DAY: "{date}: the day of the event {counts_or_not}",
    LineCode.COUNTED: "{days}: {kind}{of}, {numbers}",
    LineCode.SKIPPED: "{days}: {kind}{of}, not counted",
    LineCode.RAN: "{from} to {to}: {minutes} min, {total} min in all",
    LineCode.WAITED: "{from} to {to}: stands still ({why})",
    LineCode.ROLLED: "{date} is off ({kind}{of}): the next working day, {to}, takes its place",
    LineCode.NAMED: "{date}: the day that was named ({kind}{of})",
    LineCode.ENDS: "due {at}{end}",
    LineCode.OPENS: "shown from {at}, when the day opens",
    LineCode.CAPPED: "not later than the parent ticket: due {at}",
    LineCode.NO_ROOM: "sent too late for that: due with the parent ticket, {at}",
    LineCode.PROVISIONAL: "provisional: the holidays of {year} are not announced yet",
}


_KINDS: Final[Mapping[str, Param]] = {
    "working_day": "working day",
    "make_up_day": "make-up day for",
    "paused": "clock stands still",
}


def text(each: Line) -> str:
    """One line in English, for a terminal."""
    params = each.params
    words = dict(params)
    words["unit_s"] = str(params.get("unit", "")).replace("_", " ") + (
        "" if params.get("amount") == 1 else "s"
    )
    words["back"] = ", counted back" if params.get("before") else ""
    words["counts_or_not"] = "counts" if params.get("counts") else "does not count"
    words["kind"] = _KINDS.get(str(params.get("kind")), params.get("kind", ""))
    words["of"] = f" {params['name']}" if params.get("name") else ""
    words["days"] = _days(params)
    words["numbers"] = _numbers(params)
    words["end"] = ", when the working hours end" if params.get("closes") else ""
    return _TEXTS[each.code].format_map(words)


def _days(params: Mapping[str, Param]) -> str:
    first, last = params.get("from"), params.get("to")
    if first is None or "T" in str(first):
        return ""
    if first == last:
        return f"{_weekday(str(first))} {first}"
    return f"{_weekday(str(first))} {first} to {_weekday(str(last))} {last}"


def _weekday(day: str) -> str:
    return f"{date.fromisoformat(day):%a}"


def _numbers(params: Mapping[str, Param]) -> str:
    first, last = params.get("first"), params.get("last")
    return f"day {first}" if first == last else f"days {first} to {last}"


def minutes(length: timedelta) -> int:
    return round(length.total_seconds() / 60)
