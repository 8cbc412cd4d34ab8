"""docs/READING.md is the reading of the five texts: what it says is what the packs decide.

Table and packs were compared with the texts article by article; this holds them together.
"""

import re
from pathlib import Path

import msgspec
import pytest

from rules.library import load_packs
from rules.pack import Entry, Pack
from rules.values import DemandKind, Domain, Force, Origin

ROOT = Path(__file__).parents[3]
READING = (ROOT / "docs" / "READING.md").read_text("utf-8")
ARTICLES = {"jinan_2018": 44, "taian_draft": 33, "hangzhou_2024": 32, "tongliao_2024": 26}
PACKS = load_packs()

Row = tuple[str, str, str, str]


def _section(pack: Pack) -> str:
    return READING.split(f"(`{pack.id}`)\n", 1)[1].split("\n## ", 1)[0]


def _rows(pack: Pack) -> list[Row]:
    found = []
    for line in _section(pack).splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and len(cells) == 4 and cells[0] not in ("article", "topic"):
            found.append((cells[0], cells[1].strip("`"), cells[2], cells[3]))
    return found


def read(entry: Entry) -> Row:
    """Write an entry as a row of the table."""
    where = ", ".join(entry.articles) or entry.topic
    facts = "; ".join(f"{f}: {' or '.join(map(_word, v))}" for f, v in entry.when.items())
    mark = "" if entry.origin is Origin.LAW else f" ({entry.origin})"
    return where, entry.rule, facts, f"{entry.force}{mark} {_value(entry.value)}".strip()


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _value(value: object) -> str:
    if isinstance(value, tuple) and value and isinstance(value[0], (DemandKind, Domain)):
        return ", ".join(str(each.code) for each in value)
    text = msgspec.json.encode(value).decode()
    return re.sub(r'[\[\]{}"]', "", text).replace(",", ", ").replace(":", ": ")


def _list(pack: Pack, label: str) -> set[str]:
    line = next(each for each in _section(pack).split("\n\n") if each.startswith(f"{label}:"))
    return set(re.findall(r"`([\w.]+)`", line))


@pytest.mark.parametrize("pack", PACKS.values(), ids=lambda pack: pack.id)
def test_pack_decides_what_the_reading_says_by_the_article_it_says(pack: Pack) -> None:
    decided = {
        read(entry)
        for entries in pack.entries.values()
        for entry in entries
        if (entry.articles or entry.topic) and entry.force is not Force.NOT_GIVEN
    }
    written = {row for row in _rows(pack) if row[1] != "–"}
    assert sorted(written - decided) == []
    assert sorted(decided - written) == []


@pytest.mark.parametrize("pack", PACKS.values(), ids=lambda pack: pack.id)
def test_what_a_text_gives_to_nobody_stands_in_the_reading(pack: Pack) -> None:
    nowhere = {
        name
        for name, entries in pack.entries.items()
        if all(entry.force is Force.NOT_GIVEN for entry in entries)
    }
    assert _list(pack, "Not given") == nowhere


@pytest.mark.parametrize("pack", PACKS.values(), ids=lambda pack: pack.id)
def test_what_is_ours_or_a_standards_stands_in_the_reading(pack: Pack) -> None:
    ours = {
        name
        for name, entries in pack.entries.items()
        if any(
            entry.force is not Force.NOT_GIVEN and not (entry.articles or entry.topic)
            for entry in entries
        )
    }
    assert _list(pack, "No article of its own") == ours


@pytest.mark.parametrize(("city", "last"), ARTICLES.items())
def test_every_article_leads_to_a_rule_or_says_why_not(city: str, last: int) -> None:
    rows = _rows(PACKS[city])
    named = {int(number) for row in rows for number in re.findall(r"\b(\d+)(?=[.(,]|$)", row[0])}
    assert sorted(set(range(1, last + 1)) - named) == []
    assert all(row[3] for row in rows if row[1] == "–"), "no rule, and no word why"
    assert max(named) == last
