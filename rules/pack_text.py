"""Writes a pack as TOML text that reads back as the same rules, always in the same form."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum

import msgspec

from rules.pack import Entry, Pack
from rules.pack_file import TEXT_KEYS
from rules.values import Origin


def format_pack(pack: Pack) -> str:
    """Write a pack as text that reads back as the same rules."""
    head = {
        "id": pack.id,
        "title": pack.title,
        "city": pack.city,
        "status": pack.status,
        "version": pack.read_on,
        "from": pack.since,
        "until": pack.until,
        "cites": "topics" if pack.cites_topics else None,
    }
    blocks = [_table("[pack]", head)]
    for name, entries in pack.entries.items():
        mark = f"[{name}]" if len(entries) == 1 else f"[[{name}]]"
        blocks += [_table(mark, _entry_keys(entry, pack.since)) for entry in entries]
    return "\n".join(blocks)


def _entry_keys(entry: Entry, since: date | None) -> dict[str, object]:
    one = entry.articles[0] if len(entry.articles) == 1 else list(entry.articles)
    return {
        "when": {fact: v[0] if len(v) == 1 else list(v) for fact, v in entry.when.items()},
        **({} if entry.value is None else {"value": msgspec.to_builtins(entry.value)}),
        "force": entry.force,
        "origin": None if entry.origin is Origin.LAW else entry.origin,
        "article": one,
        **{key: getattr(entry, key) for key in TEXT_KEYS},
        "from": None if entry.since == since else entry.since,
        "until": entry.until,
    }


def _table(mark: str, keys: Mapping[str, object]) -> str:
    kept = {k: v for k, v in keys.items() if k == "value" or v not in (None, "", [], {})}
    return "\n".join([mark, *(f"{key} = {_toml(value)}" for key, value in kept.items()), ""])


def _toml(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case date():
            return value.isoformat()
        case StrEnum():
            return _toml(value.value)
        case str():
            # JSON's escapes are TOML's, save for the one sign TOML wants escaped and JSON does not.
            return msgspec.json.encode(value).decode().replace("\x7f", "\\u007F")
        case list() | tuple():
            return f"[{', '.join(map(_toml, value))}]"
        case dict():
            return f"{{ {', '.join(f'{key} = {_toml(each)}' for key, each in value.items())} }}"
        case _:
            raise TypeError(f"a pack holds no {type(value).__name__}")
