"""A pack's TOML text: read and checked, with the line of each fault.

Everything wrong is told at once, with what to do; a pack with a fault is not used at all.
"""

import difflib
import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

import msgspec

from base.errors import HotlineError
from rules.article import is_reference
from rules.catalogue import COUNTED_BACK, FACTS, GROUPS_RESERVED, RULES, STARTS
from rules.pack import Entry, Pack, Status
from rules.toml_lines import Path, line_of, lines_of
from rules.values import Force, Origin, Term

LONGEST_SUMMARY = 160
ENTRY_KEYS = (
    "value",
    "force",
    "origin",
    "article",
    "topic",
    "source",
    "summary",
    "reading",
    "reason",
    "script",
    "when",
    "from",
    "until",
)
PACK_KEYS = ("id", "title", "city", "status", "version", "from", "until", "cites")
TEXT_KEYS = ("topic", "source", "summary", "reading", "reason", "script")


class Fault(msgspec.Struct, frozen=True):
    """One thing wrong in a pack's file."""

    line: int
    what: str
    fix: str


class PackInvalidError(HotlineError):
    """A pack's file is not right."""

    code = "pack_invalid"
    http_status = 422

    def __init__(self, name: str, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(faults, key=lambda fault: fault.line))
        told = "; ".join(f"{name}:{each.line}: {each.what}" for each in self.faults)
        super().__init__(f"{len(self.faults)} faults: {told}")


def content_hash(text: str) -> str:
    """The hash of a pack's text, the same whatever the line ends."""
    return hashlib.sha256(text.replace("\r\n", "\n").encode()).hexdigest()


def parse_pack(text: str, name: str = "pack") -> Pack:
    """Read a pack, or raise PackInvalidError with every fault and its line."""
    return _Reading(text, name).pack()


class _Reading:
    """One reading of one text; gathers the faults on the way."""

    def __init__(self, text: str, name: str) -> None:
        self.text = text.replace("\r\n", "\n")
        self.name = name
        self.lines = lines_of(self.text)
        self.faults: list[Fault] = []
        self.cites_topics = False
        self.since: date | None = None

    def pack(self) -> Pack:
        document = self._document()
        head = self._head(document.get("pack"))
        entries = {
            f"{group}.{name}": self._entries(group, name, body)
            for group, rules in document.items()
            if group not in GROUPS_RESERVED and self._is_table((group,), rules)
            for name, body in rules.items()
            if self._is_known(group, name)
        }
        if self.faults:
            raise PackInvalidError(self.name, self.faults)
        return Pack(digest=content_hash(self.text), text=self.text, entries=entries, **head)

    def _document(self) -> dict[str, Any]:
        try:
            return tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            where = str(error).rpartition("at line ")[2].partition(",")[0]
            line = int(where) if where.isdigit() else len(self.text.splitlines())
            fault = Fault(line, f"not TOML: {error}", "mend the line; see docs/NEW_CITY.md")
            raise PackInvalidError(self.name, [fault]) from error

    def _head(self, head: object) -> dict[str, Any]:
        if not isinstance(head, dict):
            self._fault((), "no table [pack]", 'begin with [pack], id = "…", title, city, status')
            return {}
        self._unknown_keys(("pack",), head, PACK_KEYS)
        for key in ("id", "title", "city"):
            if not isinstance(head.get(key), str) or not head[key].strip():
                self._fault(("pack", key), f"[pack] has no {key}", f'write {key} = "…"')
        if not str(head.get("id", "x")).replace("_", "").isalnum():
            self._fault(("pack", "id"), "id has strange letters", "use a–z, 0–9 and _")
        self.cites_topics = head.get("cites", "articles") == "topics"
        if head.get("cites", "articles") not in ("articles", "topics"):
            self._fault(("pack", "cites"), "cites is unknown", 'write "articles" or "topics"')
        self.since = self._day(("pack",), head, "from")
        if head.get("status", "law") == "law" and self.since is None and "from" not in head:
            self._fault(("pack",), "a law without its first day", "write from = YYYY-MM-DD")
        read_on = self._day(("pack",), head, "version")
        if "version" not in head:
            self._fault(("pack",), "[pack] has no version", "write version = YYYY-MM-DD")
        return {
            "id": head.get("id"),
            "title": head.get("title"),
            "city": head.get("city"),
            "status": self._choice(("pack",), head, "status", Status, Status.LAW),
            "read_on": read_on,
            "since": self.since,
            "until": self._day(("pack",), head, "until"),
            "cites_topics": self.cites_topics,
        }

    def _is_table(self, path: Path, body: object) -> bool:
        if isinstance(body, dict):
            return True
        self._fault(path, f"{path[-1]} stands alone", "put it under a table like [clock.base]")
        return False

    def _is_known(self, group: str, name: str) -> bool:
        rule = f"{group}.{name}"
        if rule in RULES:
            return True
        self._fault((group, name), f"no rule is called {rule}", _nearest(rule, RULES))
        return False

    def _entries(self, group: str, name: str, body: object) -> tuple[Entry, ...]:
        bodies = body if isinstance(body, list) else [body]
        path: Path = (group, name)
        entries: list[Entry] = []
        for index, each in enumerate(bodies):
            at: Path = (*path, index) if isinstance(body, list) else path
            if not self._is_table(at, each):
                continue
            entry = self._entry(f"{group}.{name}", at, each)
            if entry is not None:
                self._compare(at, entry, entries)
                entries.append(entry)
        return tuple(entries)

    def _entry(self, rule: str, at: Path, body: dict[str, Any]) -> Entry | None:
        before = len(self.faults)
        self._unknown_keys(at, body, ENTRY_KEYS)
        for key in TEXT_KEYS:
            if not isinstance(body.get(key, ""), str):
                self._fault((*at, key), f"{key} is no text", "put it in quotes")
        force = self._choice(at, body, "force", Force, None)
        origin = self._choice(at, body, "origin", Origin, Origin.LAW)
        value = self._value(rule, at, body, force)
        articles = self._articles(at, body)
        when = self._when(at, body.get("when", {}))
        since = self._day(at, body, "from") or self.since
        until = self._day(at, body, "until")
        if len(self.faults) > before or force is None or origin is None:
            return None
        read = Entry(
            rule=rule,
            force=force,
            origin=origin,
            value=value,
            articles=articles,
            when=when,
            since=since,
            until=until,
            **{key: body.get(key, "").strip() for key in TEXT_KEYS},
        )
        self._grounds(at, read)
        return read

    def _value(self, rule: str, at: Path, body: Mapping[str, Any], force: Force | None) -> object:
        if force is Force.NOT_GIVEN:
            if "value" in body:
                self._fault((*at, "value"), "not given, yet it has a value", "leave value out")
            return None
        if "value" not in body:
            self._fault(at, f"{rule} has no value", f"write value = …: {RULES[rule].means}")
            return None
        kind = RULES[rule].kind
        try:
            value: object = msgspec.convert(body["value"], kind)
        except (msgspec.ValidationError, ValueError) as error:
            self._fault(
                (*at, "value"), f"value: {error}", f"./hotline packs rules {rule} shows its shape"
            )
            return None
        if value is False or value == ():
            self._fault((*at, "value"), "the value is empty", 'write force = "not_given" instead')
        if isinstance(value, Term) and (never := term_never(rule, value)) is not None:
            self._fault((*at, "value"), *never)
        return value

    def _articles(self, at: Path, body: Mapping[str, Any]) -> tuple[str, ...]:
        given = body.get("article", [])
        articles = [
            # A bare 24 is plain enough.
            str(each) if isinstance(each, int) and not isinstance(each, bool) else each
            for each in (given if isinstance(given, list) else [given])
        ]
        for each in articles:
            if not isinstance(each, str) or not is_reference(each):
                self._fault((*at, "article"), f"article {each!r}", 'write "24", "24.2", "24.1(3)"')
        return tuple(map(str, articles))

    def _when(self, at: Path, when: object) -> dict[str, tuple[object, ...]]:
        if not isinstance(when, dict):
            self._fault((*at, "when"), "when is no table", "write when = { fact = value }")
            return {}
        conditions: dict[str, tuple[object, ...]] = {}
        for fact, given in when.items():
            if fact not in FACTS:
                self._fault((*at, "when"), f"no fact is called {fact}", _nearest(fact, FACTS))
                continue
            wanted = given if isinstance(given, list) else [given]
            try:
                kind = FACTS[fact].kind
                conditions[fact] = tuple(msgspec.convert(each, kind) for each in wanted)
            except msgspec.ValidationError as error:
                self._fault((*at, "when"), f"{fact}: {error}", f"{fact} is: {FACTS[fact].means}")
        return conditions

    def _grounds(self, at: Path, entry: Entry) -> None:
        """Every entry says where it comes from."""
        if not entry.summary:
            self._fault(at, "no summary", "say in your own words what the rule says")
        if len(entry.summary) > LONGEST_SUMMARY:
            self._fault((*at, "summary"), "the summary is long", f"at most {LONGEST_SUMMARY} signs")
        cited = entry.topic if self.cites_topics else entry.articles
        given = entry.force is not Force.NOT_GIVEN
        if given and entry.origin is Origin.LAW and not cited:
            key = "topic" if self.cites_topics else "article"
            self._fault(at, f"from the law, but no {key}", f'write {key} = "…", or another origin')
        if entry.origin in (Origin.CENTRE, Origin.OWN) and not entry.reason:
            self._fault(at, f"origin {entry.origin} without a reason", 'write reason = "…"')
        if entry.force is Force.MUST and not (entry.articles or entry.topic):
            self._fault(at, "a duty that no text names", 'name the article, or write force = "may"')
        if entry.force is Force.MUST and entry.origin is Origin.OWN:
            self._fault(at, "our own practice is no duty", 'write force = "may"')
        if entry.origin is Origin.STANDARD and not entry.source:
            self._fault(at, "a standard without its name", 'write source = "GB/T …"')
        if entry.since and entry.until and entry.until < entry.since:
            self._fault((*at, "until"), "ends before it begins", "mend from or until")

    def _compare(self, at: Path, entry: Entry, earlier: Iterable[Entry]) -> None:
        for other in earlier:
            together = (
                entry.until is None or other.since is None or other.since <= entry.until
            ) and (other.until is None or entry.since is None or entry.since <= other.until)
            if together and (not other.when or other.when == entry.when):
                self._fault(
                    at,
                    "an entry before it always answers first",
                    "give that one a narrower when, or an until",
                )
                return

    def _choice(
        self, at: Path, body: Mapping[str, Any], key: str, kind: type[Any], default: Any
    ) -> Any:
        given = body.get(key, default)
        names: list[str] = [member.value for member in kind]
        if given in names:
            return kind(given)
        self._fault((*at, key), f"{key} is {given!r}", f"write one of {', '.join(names)}")
        return None

    def _day(self, at: Path, body: Mapping[str, Any], key: str) -> date | None:
        given = body.get(key)
        if given is None or (isinstance(given, date) and not isinstance(given, datetime)):
            return given
        self._fault((*at, key), f"{key} is no day", "write YYYY-MM-DD without quotes")
        return None

    def _unknown_keys(self, at: Path, body: Mapping[str, Any], known: Iterable[str]) -> None:
        for key in body.keys() - set(known):
            self._fault((*at, key), f"no key is called {key}", _nearest(key, known))

    def _fault(self, path: Path, what: str, fix: str) -> None:
        self.faults.append(Fault(line_of(self.lines, path), what, fix))


def term_never(rule: str, term: Term) -> tuple[str, str] | None:
    """What of a clock would be written down and not obeyed, and what to write instead."""
    if term.starts not in STARTS[rule]:
        return (
            f"{rule} never starts so",
            f"write starts as one of {', '.join(sorted(STARTS[rule]))}",
        )
    if term.before and rule not in COUNTED_BACK:
        return f"{rule} is never counted back", "leave before out"
    return None


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), 1, 0.5)
    return f"did you mean {near[0]}?" if near else "no near one: ./hotline packs rules lists them"
