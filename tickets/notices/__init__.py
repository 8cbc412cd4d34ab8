"""What callers and units are told: texts as data, checked before the first of them is sent. Pure.

A text names what it needs by placeholders; which there are for whom stands here, and a text with
any other is refused at the start (``NoticesInvalid``), as is a missing one. There is no placeholder
for a name, a telephone number or what a demand says, so no text can tell them.
"""

import string
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Final
from zoneinfo import ZoneInfo

import msgspec

from base.errors import HotlineError

FOLDER: Final = Path(__file__).parent
COMMON: Final = FOLDER / "common.toml"
MOST_CHARACTERS: Final = 300
"""Of a text with everything filled in: five parts of a short message."""
_SHANGHAI: Final = ZoneInfo("Asia/Shanghai")

_TICKET = frozenset({"number", "code", "reply_due", "completion_due"})
CALLER: Final[Mapping[str, frozenset[str]]] = {
    "registered": _TICKET,
    "not_accepted": _TICKET | {"reason", "article", "refer_to"},
    "completion_dated": _TICKET | {"basis"},
    "extended": _TICKET,
    "closed": _TICKET | {"result", "objection", "duty_note"},
    "reopened": _TICKET,
    "explained": _TICKET,
    "event_answered": _TICKET | {"text"},
    "follow_up": _TICKET,
    "suspension_begun": frozenset({"until", "article"}),
    "suspension_lifted": frozenset(),
}
"""Templates of messages to callers, and what each may name. The code is the caller's alone."""
_AT_UNIT = frozenset({"number"})
UNIT: Final[Mapping[str, frozenset[str]]] = {
    "dispatched": _AT_UNIT | {"part", "duty_note"},
    "consulted": _AT_UNIT,
    "withdrawn": _AT_UNIT,
    "urged": _AT_UNIT,
    "reminded": _AT_UNIT | {"timer"},
    "supervised": _AT_UNIT,
    "return_granted": _AT_UNIT,
    "return_refused": _AT_UNIT,
    "extension_granted": _AT_UNIT,
    "extension_refused": _AT_UNIT,
    "termination_refused": _AT_UNIT,
    "feedback_refused": _AT_UNIT,
    "child_fed_back": _AT_UNIT,
    "redo": _AT_UNIT | {"round"},
    "explanation_asked": _AT_UNIT,
}
"""Templates of messages to units."""
WORDED: Final = ("reason", "basis", "part", "timer", "result", "objection")
"""Placeholders whose values are codes; their words stand in the data."""
_LONGEST: Final = {"article": 40, "refer_to": 60, "text": 150, "duty_note": 60, "objection": 40}
_INSTANT: Final = frozenset({"year", "month", "day", "hour", "minute"})


class NoticesInvalid(HotlineError):
    """The texts of messages cannot be used as they are."""

    code: ClassVar[str] = "notices_invalid"


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    instant: str = ""
    signature: str | None = None
    caller: dict[str, str] = {}
    unit: dict[str, str] = {}
    words: dict[str, dict[str, str]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notices:
    """The texts of one centre."""

    instant: str
    signature: str
    caller: Mapping[str, str]
    unit: Mapping[str, str]
    words: Mapping[str, Mapping[str, str]]

    def to_caller(self, template: str, values: Mapping[str, object]) -> str:
        """The message, signed; what is unknown is left out of it."""
        return self.signature + self._filled(self.caller[template], CALLER[template], values)

    def to_unit(self, template: str, values: Mapping[str, object]) -> str:
        return self._filled(self.unit[template], UNIT[template], values)

    def at(self, instant: datetime | None) -> str:
        """An instant as people in China write it."""
        if instant is None:
            return ""
        local = instant.astimezone(_SHANGHAI)
        return self.instant.format(
            year=local.year,
            month=local.month,
            day=local.day,
            hour=local.hour,
            minute=f"{local.minute:02}",
        )

    def _filled(self, text: str, allowed: frozenset[str], values: Mapping[str, object]) -> str:
        return text.format(**{name: self._worded(name, values.get(name)) for name in allowed})

    def _worded(self, name: str, value: object) -> str:
        if value is None or value == "":
            return ""
        if isinstance(value, datetime):
            return self.at(value)
        said = str(value)[: _LONGEST.get(name, 60)]
        return self.words.get(name, {}).get(said, said)


def load_notices(pack: str, own: Path | None = None) -> Notices:
    """The texts under a pack, with the centre's own over them."""
    layers = [COMMON, FOLDER / f"{pack}.toml", *([] if own is None else [own])]
    files = [_read(path) for path in layers if path.is_file()]
    made = Notices(
        instant=next(each.instant for each in reversed(files) if each.instant),
        signature=next(each.signature for each in reversed(files) if each.signature is not None),
        caller=_laid_over(each.caller for each in files),
        unit=_laid_over(each.unit for each in files),
        words={name: _laid_over(e.words.get(name, {}) for e in files) for name in WORDED},
    )
    _check(made)
    return made


def _read(path: Path) -> _File:
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
        file = msgspec.convert(tree, _File)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise NoticesInvalid(file=str(path), why=str(error)) from error
    unknown = {*file.caller} - {*CALLER} | {*file.unit} - {*UNIT} | {*file.words} - {*WORDED}
    if unknown:
        raise NoticesInvalid(file=str(path), unknown=sorted(unknown))
    return file


def _laid_over(tables: Iterable[Mapping[str, str]]) -> dict[str, str]:
    made: dict[str, str] = {}
    for table in tables:
        made |= table
    return made


def _check(notices: Notices) -> None:
    named = [("instant", notices.instant, _INSTANT)]
    for texts, known in ((notices.caller, CALLER), (notices.unit, UNIT)):
        missing = sorted({*known} - {*texts})
        if missing:
            raise NoticesInvalid(missing=missing)
        named += [(name, texts[name], allowed) for name, allowed in known.items()]
    for name, text, allowed in named:
        _check_text(name, text, allowed)


def _check_text(name: str, text: str, allowed: frozenset[str]) -> None:
    try:
        found = list(string.Formatter().parse(text))
    except ValueError as error:
        raise NoticesInvalid(text=name, why=str(error)) from error
    for _literal, field, spec, conversion in found:
        if field is not None and (field not in allowed or spec or conversion):
            raise NoticesInvalid(text=name, placeholder=field, allowed=sorted(allowed))
    longest = text.format(**{each: "字" * _LONGEST.get(each, 20) for each in allowed})
    if not text.strip() or len(longest) > MOST_CHARACTERS:
        raise NoticesInvalid(text=name, characters=len(longest), most=MOST_CHARACTERS)
