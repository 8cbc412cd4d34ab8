"""What is wrong in a pack is told with its line and what to do; what is right reads back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import catalogue as law
from rules.library import load_packs
from rules.pack import Entry, Pack
from rules.pack_file import PackInvalidError, parse_pack
from rules.pack_text import format_pack
from rules.values import Force, Origin

RIGHT = """\
[pack]
id = "somewhere"
title = "某市热线条例"
city = "某市"
status = "law"
version = 2026-03-01
from = 2025-01-01

[clock.base]
value = { amount = 5, unit = "working_day", starts = "dispatch" }
force = "must"
article = "24"
summary = "五个工作日。"

[[follow_up.redo]]
when = { dissatisfied = true }
value = true
force = "may"
article = "27.2"
summary = "可以重办。"
script = '''
为您[重办]。
'''

[[follow_up.redo]]
force = "not_given"
summary = "不重办。"
"""

BASE = '[clock.base]\nvalue = { amount = 5, unit = "working_day", starts = "dispatch" }'
EXTENSION = (
    '[clock.extension]\nvalue = { amount = 5, unit = "hour", starts = "due", before = true }'
)
WRONG = [
    ("amount = 5", "amount = 0", 10, "amount"),
    ("amount = 5", "amout = 5", 10, "amout"),
    ('unit = "working_day"', 'unit = "week"', 10, "unit"),
    ('starts = "dispatch"', 'starts = "feedback"', 10, "arrival_at_unit, dispatch"),
    ('"dispatch" }', '"dispatch", before = true }', 10, "from a due time"),
    (BASE, EXTENSION, 10, "never counted back"),
    ('"working_day"', '"hour", day_of_event_counts = true', 10, "periods of days"),
    ('force = "must"', 'force = "shall"', 11, "must, may, not_given"),
    ('force = "must"\n', "", 9, "force"),
    ('article = "24"', 'article = "第24条"', 12, "第24条"),
    ('article = "24"\n', "", 9, "no article"),
    ('article = "24"', 'articel = "24"', 12, "article?"),
    ("[clock.base]", "[clock.bsae]", 9, "clock.base?"),
    ('summary = "五个工作日。"', f'summary = "{"长" * 200}"', 13, "summary"),
    ("{ dissatisfied = true }", "{ disatisfied = true }", 16, "dissatisfied?"),
    ("{ dissatisfied = true }", '{ dissatisfied = "yes" }', 16, "dissatisfied"),
    ("when = { dissatisfied = true }\n", "", 24, "narrower when"),
    ('force = "not_given"', 'force = "not_given"\nvalue = true', 27, "leave value out"),
    ('force = "may"', 'force = "may"\norigin = "centre"', 15, "reason"),
    ('force = "may"', 'force = "may"\norigin = "standard"', 15, "source"),
    ("version = 2026-03-01", 'version = "yesterday"', 6, "version"),
    ("from = 2025-01-01\n", "", 1, "first day"),
    ('status = "law"\nversion = 2026-03-01\nfrom = 2025-01-01', "version = 2026-03-01", 1, "first"),
    ('city = "某市"\n', "", 1, "city"),
    ('id = "somewhere"', "id = somewhere", 2, "not TOML"),
    ("[pack]", "[packs]", 1, "[pack]"),
]


@pytest.mark.parametrize(("right", "wrong", "line", "told"), WRONG)
def test_fault_is_told_with_its_line_and_what_to_do(
    right: str, wrong: str, line: int, told: str
) -> None:
    assert right in RIGHT
    with pytest.raises(PackInvalidError) as refusal:
        parse_pack(RIGHT.replace(right, wrong, 1))
    faults = [each for each in refusal.value.faults if each.line == line]
    assert faults, refusal.value.faults
    assert any(told in f"{each.what} {each.fix}" for each in faults)
    assert all(each.fix for each in refusal.value.faults)


def test_all_faults_are_told_at_once() -> None:
    text = RIGHT.replace("amount = 5", "amount = 0").replace('force = "may"', 'force = "can"')
    with pytest.raises(PackInvalidError) as refusal:
        parse_pack(text)
    assert [each.line for each in refusal.value.faults] == [10, 18]


def test_duty_that_no_text_names_is_refused() -> None:
    own = 'force = "must"\norigin = "own"\nreason = "嗯"'
    with pytest.raises(PackInvalidError, match="duty that no text names"):
        parse_pack(RIGHT.replace('force = "must"\narticle = "24"', own))


@pytest.mark.parametrize("pack", load_packs().values(), ids=lambda pack: pack.id)
def test_every_pack_of_ours_reads_back_from_its_formatted_text(pack: Pack) -> None:
    again = parse_pack(format_pack(pack))
    assert again.entries == pack.entries
    assert (again.id, again.since, again.status) == (pack.id, pack.since, pack.status)
    assert format_pack(again) == format_pack(pack)


words = st.text(max_size=30).map(str.strip)
some_words = words.filter(bool)


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    force = draw(st.sampled_from(Force))
    return Entry(
        rule="follow_up.redo",
        force=force,
        origin=Origin.LAW,
        value=None if force is Force.NOT_GIVEN else True,
        articles=("27.2", "28(1)")[: draw(st.integers(1, 2))],
        summary=draw(some_words),
        reading=draw(words),
        reason=draw(words),
        script=draw(words),
        when=draw(st.dictionaries(st.sampled_from(["lawful", "verified"]), _truths, max_size=2)),
        since=draw(st.none() | st.dates()),
    )


_truths = st.sampled_from([(True,), (False,), (True, False)])


@given(entry=entries())
@settings(max_examples=60)
def test_whatever_is_written_is_read_back(entry: Entry) -> None:
    draft = (
        RIGHT.split("[clock.base]")[0]
        .replace('"law"', '"draft"')
        .replace("from = 2025-01-01\n", "")
    )
    pack = parse_pack(draft)
    written = format_pack(
        Pack(
            id=pack.id,
            title=pack.title,
            city=pack.city,
            status=pack.status,
            read_on=pack.read_on,
            digest="",
            text="",
            entries={entry.rule: (entry,)},
        )
    )
    assert parse_pack(written).entries == {entry.rule: (entry,)}


@given(rule=st.sampled_from(sorted(law.RULES)), held=st.sets(st.sampled_from(sorted(law.RULES))))
@settings(max_examples=60)
def test_pack_answers_no_rule_that_it_does_not_hold(rule: str, held: set[str]) -> None:
    whole = load_packs()["jinan_2018"]
    part = Pack(
        id=whole.id,
        title=whole.title,
        city=whole.city,
        status=whole.status,
        read_on=whole.read_on,
        digest=whole.digest,
        text=whole.text,
        entries={name: each for name, each in whole.entries.items() if name in held},
    )
    if rule not in held:
        assert not part.has(rule)
        assert part.cards(rule) == ()
