"""A pack answers with its card, and refuses rather than guesses."""

from datetime import date

import pytest

from rules import catalogue as law
from rules.library import PackUnknownError, load_pack, load_packs
from rules.pack import FactInvalidError, FactMissingError, RuleNotGivenError
from rules.pack_file import parse_pack
from rules.values import Force, Origin, Start, Unit

HEAD = """
[pack]
id = "somewhere"
title = "某市热线条例"
city = "某市"
status = "law"
version = 2026-03-01
from = 2025-01-01
"""


def test_answer_carries_value_force_and_article_card() -> None:
    decision = load_pack("jinan_2018").decide(law.BASE)
    assert (decision.value.amount, decision.value.unit) == (5, Unit.WORKING_DAY)
    assert decision.value.starts is Start.DISPATCH
    card = decision.card
    assert (card.rule, card.articles, card.place) == ("clock.base", ("24.1",), "第二十四条第一款")
    assert (card.force, card.origin, card.pack) == (Force.MUST, Origin.LAW, "jinan_2018")
    assert card.version == load_pack("jinan_2018").version
    assert card.summary


def test_pack_without_a_rule_refuses_to_answer() -> None:
    pack = parse_pack(HEAD)
    with pytest.raises(RuleNotGivenError) as refusal:
        pack.decide(law.BASE)
    assert refusal.value.code == "rule_not_given"
    assert refusal.value.card is None
    assert not pack.has(law.BASE)
    assert not pack.must("clock.base")


def test_rule_the_law_does_not_give_is_refused_with_its_reason() -> None:
    with pytest.raises(RuleNotGivenError) as refusal:
        load_pack("jinan_2018").decide(law.SUSPEND)
    card = refusal.value.card
    assert card is not None
    assert card.force is Force.NOT_GIVEN
    assert card.summary


CONDITIONAL = (
    HEAD
    + """
[[follow_up.redo]]
when = { dissatisfied = true, reasonable = true }
value = true
force = "must"
article = "20"
summary = "要重办。"

[[follow_up.redo]]
when = { dissatisfied = true }
value = true
force = "may"
article = "21"
summary = "可以重办。"

[[follow_up.redo]]
force = "not_given"
summary = "不重办。"
"""
)


def test_first_entry_whose_facts_hold_answers_and_the_card_names_them() -> None:
    pack = parse_pack(CONDITIONAL)
    facts = {"dissatisfied": True, "reasonable": False, "lawful": True}
    decision = pack.decide(law.REDO, facts)
    assert decision.force is Force.MAY
    assert decision.card.facts == {"dissatisfied": True, "reasonable": False}
    assert pack.must(law.REDO, {"dissatisfied": True, "reasonable": True})
    assert not pack.has(law.REDO, {"dissatisfied": False})


def test_fact_that_is_not_known_is_asked_for_not_assumed() -> None:
    with pytest.raises(FactMissingError) as refusal:
        parse_pack(CONDITIONAL).decide(law.REDO, {"dissatisfied": True})
    assert refusal.value.fact == "reasonable"


EITHER = (
    HEAD
    + """
[[follow_up.redo]]
when = { unhandled = true }
value = true
force = "may"
article = "27.2"
summary = "该办未办。"

[[follow_up.redo]]
when = { dissatisfied = true }
value = true
force = "may"
article = "27.2"
summary = "不满意。"

[[follow_up.redo]]
force = "not_given"
summary = "不重办。"
"""
)


def test_fact_that_changes_nothing_is_not_asked_for() -> None:
    pack = parse_pack(EITHER)
    assert pack.decide(law.REDO, {"dissatisfied": True}).card.summary == "不满意。"
    with pytest.raises(FactMissingError):
        pack.decide(law.REDO, {"dissatisfied": False})


def test_word_that_a_fact_cannot_be_is_refused() -> None:
    with pytest.raises(FactInvalidError):
        parse_pack(EITHER).decide(law.REDO, {"dissatisfied": "rather"})


DATED = (
    HEAD
    + """
[[clock.base]]
value = { amount = 5, unit = "working_day", starts = "dispatch" }
force = "must"
article = "24"
summary = "五个工作日。"
until = 2025-12-31

[[clock.base]]
value = { amount = 3, unit = "working_day", starts = "dispatch" }
force = "must"
article = "24"
summary = "三个工作日。"
from = 2026-01-01
"""
)


@pytest.mark.parametrize(
    ("on", "amount"), [(date(2025, 12, 31), 5), (date(2026, 1, 1), 3), (None, 3)]
)
def test_day_chooses_the_rule_in_force(on: date | None, amount: int) -> None:
    assert parse_pack(DATED).decide(law.BASE, on=on).value.amount == amount


def test_rule_is_refused_before_its_law_is_in_force() -> None:
    assert not parse_pack(DATED).has(law.BASE, on=date(2024, 12, 31))


def test_repealed_law_still_answers_for_its_own_days_and_no_others() -> None:
    pack = parse_pack(
        DATED.replace("from = 2025-01-01\n", "from = 2025-01-01\nuntil = 2026-06-30\n", 1)
    )
    assert pack.has(law.BASE, on=date(2026, 6, 30))
    assert not pack.has(law.BASE, on=date(2026, 7, 1))


def test_unknown_pack_is_refused_by_name() -> None:
    with pytest.raises(PackUnknownError):
        load_pack("atlantis")
    with pytest.raises(PackUnknownError):
        load_pack("jinan_2018", version="2018-01-01.000000000000")


def test_every_pack_of_ours_is_found_under_its_file_name() -> None:
    packs = load_packs()
    assert packs
    for name, pack in packs.items():
        assert pack.id == name
        assert load_pack(name, version=pack.version) == pack
