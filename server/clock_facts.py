"""A clock's facts as people write them: options of a command, a row of a CSV, an object of JSON."""

from collections.abc import Mapping
from datetime import date, datetime

import msgspec

from base.errors import HotlineError, SetupError
from rules.calendar import OutsideCalendar
from rules.catalogue import FACTS
from rules.clock import AmountMissing, ClockNeverStops
from rules.deadlines import (
    BASE,
    EXTENSION,
    KINDS,
    PROMISED,
    STATUTORY,
    Asked,
    ClockFactMissing,
    ExtensionUsedUp,
    LawPeriod,
    PeriodFixed,
    PromiseBeforeStart,
)
from rules.pack import FactMissingError, Pack, RuleNotGivenError
from rules.values import Pause, Unit, WorkingHours
from rules.worktime import Paused

NAMES = (
    "kind",
    "from",
    "days",
    "base_days",
    "law_days",
    "law_unit",
    "law",
    "promised",
    "extend",
    "extended",
    "due",
    "hours",
    "paused",
    "facts",
)
"""What may be given; each a text, or nothing."""

_MOST_DAYS = 3650
_OPTIONS = {
    "law": "--law-days N, and --law with the law and article",
    "promised_on": "--promised DATE",
    "due_at": "--due INSTANT, when it is due now",
}
_INSTEAD = {
    STATUTORY: "a law's own period: --kind statutory --law-days N",
    PROMISED: "measures and a date: --kind promised --promised DATE",
}
"""Other ways to more time, where a pack has no extension."""
_NONE = "none"
"""As a fact's value: known, and none of the values."""
_FIXES: dict[type[HotlineError], str] = {
    ClockNeverStops: "leave --paused out: under this pack the clock runs on",
    AmountMissing: "the number that the centre set: --days N, --base-days N or --extend N",
    PeriodFixed: "leave the number out",
    ExtensionUsedUp: "no further extension; see ./hotline packs show PACK reply",
    PromiseBeforeStart: "--promised with a date at or after --from",
    OutsideCalendar: "import the notices of the years that are missing: ./hotline calendar import",
}


def asked_from(given: Mapping[str, str | None]) -> Asked:
    """The question that these texts ask."""
    texts = {name: text.strip() for name, text in given.items() if text and text.strip()}
    kind = texts.get("kind", "")
    if kind not in KINDS:
        raise SetupError(f"there is no clock {kind!r}", fix=f"one of: {', '.join(KINDS)}")
    if "from" not in texts:
        raise SetupError("from when does it run?", fix="--from 2026-09-28T10:00:00+08:00")
    amounts = {}
    if "base_days" in texts:
        amounts[BASE] = _whole("base-days", texts["base_days"])
    if "extend" in texts:
        if kind not in (BASE, EXTENSION):
            raise SetupError(f"{kind} cannot be extended", fix="--kind extension")
        kind = EXTENSION
        if texts["extend"] != "pack":
            amounts[EXTENSION] = _whole("extend", texts["extend"])
    if "days" in texts:
        amounts[texts["kind"]] = _whole("days", texts["days"])
    return Asked(
        kind,
        _instant("from", texts["from"]),
        amounts,
        law=_law(texts),
        promised_on=_date("promised", texts["promised"]) if "promised" in texts else None,
        extended=_whole("extended", texts["extended"], least=0) if "extended" in texts else 0,
        due_at=_instant("due", texts["due"]) if "due" in texts else None,
        hours=_hours(texts["hours"]) if "hours" in texts else None,
        paused=tuple(_paused(text) for text in texts.get("paused", "").split(",") if text),
        facts=dict(fact_from(text) for text in texts.get("facts", "").split(",") if text),
    )


def refusal(pack: Pack, error: HotlineError) -> SetupError:
    """A pack's refusal for somebody at a terminal: which rule, where it stands, what to do."""
    if isinstance(error, RuleNotGivenError):
        rule = str(error.params["rule"])
        card = error.card
        why = ": " + " ".join(filter(None, (card.place, card.summary))) if card else ""
        instead = [way for kind, way in _INSTEAD.items() if pack.has(f"clock.{kind}")]
        fix = "; or ".join(instead) if rule == f"clock.{EXTENSION}" else ""
        fix = fix or f"./hotline packs show {pack.id} clock"
        return SetupError(f"{pack.id} does not provide {rule}{why}", fix=fix)
    if isinstance(error, FactMissingError):
        what = f"{pack.id}: {error.params['rule']} depends on {error.fact}"
        return SetupError(what, fix=f"--fact {error.fact}=VALUE, or {_NONE}")
    if isinstance(error, ClockFactMissing):
        return SetupError(str(error), fix=_OPTIONS[str(error.params["fact"])])
    fix = _FIXES.get(type(error), f"./hotline packs show {pack.id} clock")
    return SetupError(str(error), fix=fix)


def _law(texts: Mapping[str, str]) -> LawPeriod | None:
    if "law_days" not in texts:
        return None
    unit = texts.get("law_unit")
    if unit is not None and unit not in set(Unit):
        raise SetupError(f"law-unit is {unit!r}", fix=f"one of: {', '.join(Unit)}")
    days = _whole("law-days", texts["law_days"])
    return LawPeriod(days, Unit(unit) if unit else None, texts.get("law", ""))


def _whole(name: str, text: str, *, least: int = 1) -> int:
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= _MOST_DAYS:
        raise SetupError(f"{name} is {text!r}", fix=f"a whole number from {least} to {_MOST_DAYS}")
    return int(text)


def _instant(name: str, text: str) -> datetime:
    fix = "an instant with its offset, such as 2026-09-28T10:00:00+08:00"
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise SetupError(f"{name} is {text!r}", fix=fix) from None
    if instant.tzinfo is None:
        raise SetupError(f"{name} is {text!r}, without an offset", fix=fix)
    return instant


def _date(name: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise SetupError(f"{name} is {text!r}", fix="a date such as 2026-11-30") from None


def _hours(text: str) -> WorkingHours:
    fix = "such as 08:30-12:00,13:30-17:30, in order"
    pairs = [part.strip().split("-") for part in text.split(",")]
    try:
        hours = msgspec.convert({"periods": pairs}, WorkingHours)
    except msgspec.ValidationError:
        raise SetupError(f"hours is {text!r}", fix=fix) from None
    times = [each for pair in hours.periods for each in pair]
    if times != sorted(set(times)):
        raise SetupError(f"hours is {text!r}", fix=fix)
    return hours


def _paused(text: str) -> Paused:
    why, _, times = text.strip().partition("=")
    from_text, _, to_text = times.partition("/")
    if why not in set(Pause):
        raise SetupError(f"paused: {why!r} is no reason", fix=f"one of: {', '.join(Pause)}")
    from_at, to_at = _instant("paused", from_text), _instant("paused", to_text)
    if to_at < from_at:
        raise SetupError(f"paused ends before it begins: {times}", fix="REASON=FROM/TO")
    return Paused(Pause(why), from_at, to_at)


def fact_from(text: str) -> tuple[str, object]:
    """A fact as ``NAME=VALUE``."""
    name, _, value = text.partition("=")
    fact = FACTS.get(name)
    if fact is None:
        raise SetupError(f"there is no fact {name!r}", fix=f"one of: {', '.join(FACTS)}")
    if value == _NONE:
        return name, None
    if fact.kind is bool:
        if value not in ("yes", "no", "true", "false"):
            raise SetupError(f"fact {name} is {value!r}", fix="yes or no")
        return name, value in ("yes", "true")
    try:
        return name, fact.kind(value)
    except ValueError:
        known = ", ".join(str(each) for each in fact.kind)
        raise SetupError(f"fact {name} is {value!r}", fix=f"one of: {known}") from None
