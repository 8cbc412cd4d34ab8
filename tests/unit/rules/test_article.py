"""Every decision of every city explains itself by its article card."""

import pytest

from rules.article import in_words, numeral
from rules.catalogue import FACTS, RULES
from rules.library import load_packs
from rules.pack import Entry, Pack
from rules.values import Force, Origin

PACKS = load_packs()


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("24", "第二十四条"),
        ("10", "第十条"),
        ("24.2", "第二十四条第二款"),
        ("24.1(3)", "第二十四条第一款第（三）项"),
        ("11(10)", "第十一条第（十）项"),
        ("101", "第一百零一条"),
    ],
)
def test_reference_is_said_as_a_text_says_it(reference: str, words: str) -> None:
    assert in_words(reference) == words


@pytest.mark.parametrize(("number", "words"), [(20, "二十"), (110, "一百一十"), (300, "三百")])
def test_numbers_in_words(number: int, words: str) -> None:
    assert numeral(number) == words


def _facts_for(pack: Pack, entry: Entry) -> dict[str, object]:
    return {fact: values[0] for fact, values in entry.when.items()}


@pytest.mark.requirement("R124")
@pytest.mark.parametrize("pack", PACKS.values(), ids=lambda pack: pack.id)
def test_every_decision_of_a_pack_shows_article_summary_and_facts(pack: Pack) -> None:
    for name, entries in pack.entries.items():
        for entry in entries:
            if entry.force is Force.NOT_GIVEN:
                continue
            facts = _facts_for(pack, entry)
            noise = {fact: None for fact in FACTS if fact not in facts}
            card = pack.decide(name, facts | noise).card
            assert card.summary
            assert card.place
            assert card.facts == facts, "the facts that were used, and no others"
            assert (card.pack, card.version, card.title) == (pack.id, pack.version, pack.title)
            if card.origin in (Origin.CENTRE, Origin.OWN):
                assert card.reason


@pytest.mark.parametrize("pack", PACKS.values(), ids=lambda pack: pack.id)
def test_pack_of_ours_holds_every_rule_given_or_not(pack: Pack) -> None:
    assert sorted(RULES.keys() - pack.entries.keys()) == []


@pytest.mark.parametrize("pack", PACKS.values(), ids=lambda pack: pack.id)
def test_what_is_not_given_says_why(pack: Pack) -> None:
    for entries in pack.entries.values():
        assert all(entry.summary for entry in entries)
