"""Where the cities' laws differ in a word that is easily overlooked (REQUIREMENTS, section S)."""

from collections.abc import Mapping

import pytest

from rules import catalogue as law
from rules.library import load_pack
from rules.pack import FactMissingError, RuleNotGivenError
from rules.values import (
    EndedBy,
    Force,
    Outside,
    OverdueOf,
    Promptness,
    RefusalOutcome,
    RepeatOutcome,
    Start,
    Told,
    Unit,
)

JINAN, JINAN_DRAFT = "jinan_2018", "jinan_draft_2018"
TAIAN, HANGZHOU, TONGLIAO = "taian_draft", "hangzhou_2024", "tongliao_2024"
CITIES = (JINAN, JINAN_DRAFT, TAIAN, HANGZHOU, TONGLIAO)


def _given(rule: law.Rule[object], facts: Mapping[str, object] | None = None) -> set[str]:
    return {city for city in CITIES if load_pack(city).has(rule, facts or {})}


# 1
def test_jinan_refuses_a_plain_extension_and_names_the_two_ways_there_are() -> None:
    for rule in (law.EXTENSION_TERM, law.EXTENSION):
        with pytest.raises(RuleNotGivenError) as refusal:
            load_pack(JINAN).decide(rule)
        card = refusal.value.card
        assert card is not None
        assert "法定期限" in card.summary
        assert "时限" in card.summary


def test_jinan_draft_extends_once_by_five_working_days_on_approval_and_tells_why() -> None:
    pack = load_pack(JINAN_DRAFT)
    term = pack.decide(law.EXTENSION_TERM).value
    assert (term.amount, term.unit, term.starts) == (5, Unit.WORKING_DAY, Start.DUE)
    how = pack.decide(law.EXTENSION)
    assert how.force is Force.MAY
    assert (how.value.approved_by_centre, how.value.most) == (True, 1)
    assert how.value.tell_caller == (Told.REASON,)
    assert "我们的读法" in how.card.reading


def test_only_the_jinan_draft_ends_a_matter_for_good() -> None:
    assert _given(law.FINAL) == {JINAN_DRAFT}
    final = load_pack(JINAN_DRAFT).decide(law.FINAL).value
    assert final.verified_by_centre
    assert set(final.after) == {EndedBy.REDO, EndedBy.SUPERVISION}


# 2
def test_jinan_statutory_and_promised_dates_stand_beside_the_five_day_reply() -> None:
    pack = load_pack(JINAN)
    base = pack.decide(law.BASE)
    assert (base.value.amount, base.value.unit, base.force) == (5, Unit.WORKING_DAY, Force.MUST)
    for rule in (law.STATUTORY, law.PROMISED):
        other = pack.decide(rule)
        assert other.value.amount is None, "the law, or the promise, names it"
        assert "24.2" in other.card.articles
    assert pack.must(law.TRACKED)
    assert pack.decide(law.OBJECTIVE_LIMITS).value.date_needed


def test_jinan_limits_need_a_date_and_elsewhere_only_an_explanation() -> None:
    assert _given(law.PROMISED) == {JINAN}
    for city in (JINAN_DRAFT, TAIAN, TONGLIAO):
        limits = load_pack(city).decide(law.OBJECTIVE_LIMITS)
        assert limits.force is Force.MUST
        assert not limits.value.date_needed
    assert not load_pack(HANGZHOU).has(law.OBJECTIVE_LIMITS)


# 3
@pytest.mark.parametrize("route", ["reconsideration", "arbitration", "litigation"])
def test_jinan_refers_back_only_what_has_already_entered_another_route(route: str) -> None:
    pack = load_pack(JINAN)
    entered = pack.decide(law.REFUSE_ROUTE, {"route": route, "stage": "entered"})
    assert entered.force is Force.MUST
    assert entered.value.outcome is RefusalOutcome.SHOW_ROUTE
    assert entered.script
    assert not pack.has(law.REFUSE_ROUTE, {"route": route, "stage": "should_enter"})


@pytest.mark.parametrize("city", [TAIAN, HANGZHOU, TONGLIAO])
@pytest.mark.parametrize("stage", ["entered", "should_enter"])
@pytest.mark.parametrize(
    "route", ["reconsideration", "arbitration", "litigation", "discipline", "disclosure"]
)
def test_elsewhere_what_should_enter_another_route_is_referred_too(
    city: str, stage: str, route: str
) -> None:
    assert load_pack(city).must(law.REFUSE_ROUTE, {"route": route, "stage": stage})


@pytest.mark.parametrize("city", [TAIAN, HANGZHOU, TONGLIAO])
def test_petitions_are_referred_only_once_they_have_entered(city: str) -> None:
    pack = load_pack(city)
    assert pack.must(law.REFUSE_ROUTE, {"route": "petition", "stage": "entered"})
    assert not pack.has(law.REFUSE_ROUTE, {"route": "petition", "stage": "should_enter"})


# 4
def test_another_citizen_with_the_same_problem_is_a_repeat_nowhere() -> None:
    outcomes = {}
    for city in CITIES:
        if load_pack(city).has(law.REPEAT, {"ended": True}):
            decision = load_pack(city).decide(law.REPEAT, {"ended": True})
            assert decision.value.same_caller
            outcomes[city] = (decision.value.outcome, decision.force)
    assert outcomes == {
        JINAN_DRAFT: (RepeatOutcome.NOT_DISPATCHED, Force.MUST),
        TAIAN: (RepeatOutcome.ANSWER, Force.MUST),
        HANGZHOU: (RepeatOutcome.ANSWER, Force.MAY),
        TONGLIAO: (RepeatOutcome.NOT_ACCEPTED, Force.MUST),
    }


def test_jinan_draft_takes_a_repeat_of_what_has_not_ended_for_good() -> None:
    assert not load_pack(JINAN_DRAFT).has(law.REPEAT, {"ended": False})


# 5
REDO = [
    (JINAN, {"unhandled": False, "dissatisfied": True}, Force.MAY),
    (JINAN, {"unhandled": True}, Force.MAY),
    (JINAN, {"unhandled": False, "dissatisfied": False}, None),
    (JINAN_DRAFT, {"dissatisfied": True, "reasonable": True, "verified": True}, Force.MAY),
    (JINAN_DRAFT, {"dissatisfied": True, "reasonable": True, "verified": False}, None),
    (JINAN_DRAFT, {"dissatisfied": True, "reasonable": False}, None),
    (TAIAN, {"dissatisfied": True, "reasonable": True}, Force.MAY),
    (TAIAN, {"dissatisfied": True, "reasonable": False}, None),
    (HANGZHOU, {"handled_lawfully": False}, Force.MAY),
    (HANGZHOU, {"handled_lawfully": True, "handled_reasonably": False}, Force.MAY),
    (HANGZHOU, {"handled_lawfully": True, "handled_reasonably": True, "dissatisfied": True}, None),
    (TONGLIAO, {"dissatisfied": True, "reasonable": True, "lawful": True}, Force.MUST),
    (TONGLIAO, {"dissatisfied": True, "reasonable": True, "lawful": False}, None),
]


@pytest.mark.parametrize(("city", "facts", "force"), REDO)
def test_redo_is_a_duty_in_tongliao_and_a_choice_elsewhere(
    city: str, facts: Mapping[str, object], force: Force | None
) -> None:
    pack = load_pack(city)
    assert pack.has(law.REDO, facts) is (force is not None)
    if force is not None:
        assert pack.decide(law.REDO, facts).force is force


def test_redo_without_knowing_whether_the_demand_is_lawful_is_not_guessed() -> None:
    with pytest.raises(FactMissingError):
        load_pack(TONGLIAO).decide(law.REDO, {"dissatisfied": True, "reasonable": True})


# 6
def test_only_hangzhou_may_designate_after_three_dispatches_and_then_for_good() -> None:
    assert _given(law.DESIGNATE) == _given(law.DESIGNATED_STAYS) == {HANGZHOU}
    designation = load_pack(HANGZHOU).decide(law.DESIGNATE)
    assert (designation.value.after_dispatches, designation.force) == (3, Force.MAY)


# 7
def test_tongliao_emergency_is_two_acts_and_both_are_duties() -> None:
    pack = load_pack(TONGLIAO)
    notify = pack.decide(law.EMERGENCY_NOTIFY)
    assert notify.value == ("110", "119", "120", "122")
    assert pack.must(law.EMERGENCY_NOTIFY)
    assert pack.must(law.EMERGENCY_SIGN)
    assert _given(law.EMERGENCY_SIGN) == {TONGLIAO}


def test_taian_must_transfer_and_hangzhou_transfers_or_guides() -> None:
    taian, hangzhou = load_pack(TAIAN), load_pack(HANGZHOU)
    assert taian.must(law.EMERGENCY_TRANSFER)
    assert not taian.must(law.EMERGENCY_GUIDE)
    assert hangzhou.must(law.EMERGENCY_TRANSFER)
    assert hangzhou.must(law.EMERGENCY_GUIDE)


# 8
def test_tongliao_asks_consent_before_others_join_and_not_before_a_ticket() -> None:
    assert _given(law.CONSENT) == {TONGLIAO}
    consent = load_pack(TONGLIAO).decide(law.CONSENT)
    assert consent.force is Force.MUST
    assert set(consent.value) == {Outside.EXPERT_SEAT, Outside.TRANSFER, Outside.THREE_WAY}
    assert consent.script


# 9
def test_only_hangzhou_may_suspend_and_only_after_warning_and_reasonable_time() -> None:
    repeated: dict[str, object] = {"misuse": "repeated_use", "warned": True, "waited": True}
    assert _given(law.SUSPEND, repeated) == {HANGZHOU}
    pack = load_pack(HANGZHOU)
    assert pack.decide(law.SUSPEND, repeated).force is Force.MAY
    assert not pack.has(law.SUSPEND, {**repeated, "warned": False})
    assert not pack.has(law.SUSPEND, {**repeated, "waited": False})
    abuse = {"misuse": "harassment", "warned": True}
    assert pack.has(law.SUSPEND, abuse), "abuse needs no waiting"
    assert not pack.has(law.SUSPEND, {**abuse, "warned": False})
    assert not pack.has(law.SUSPEND, {"misuse": "slander"})


def test_consequences_are_told_in_taian_and_tongliao_only() -> None:
    assert _given(law.CONSEQUENCES) == {TAIAN, TONGLIAO}


# 10
def test_termination_is_always_reviewed_and_stopping_needs_only_a_note() -> None:
    terminations = {
        law.TERMINATE_REFUSAL: {TAIAN, TONGLIAO},
        law.TERMINATE_UNREACHABLE: {TONGLIAO},
        law.TERMINATE_UNLAWFUL: {TAIAN},
    }
    for rule, cities in terminations.items():
        assert _given(rule) == cities
        assert all(load_pack(city).decide(rule).value.reviewed for city in cities)
    for stop in (law.STOP_HANDLED, law.STOP_IMPOSSIBLE):
        assert _given(stop) == {JINAN}
        assert load_pack(JINAN).decide(stop).value.written_note


# 11
@pytest.mark.parametrize(
    ("city", "facts", "is_told"),
    [
        (JINAN, {"reply": "unsaid"}, True),
        (JINAN, {"reply": "declined"}, False),
        (HANGZHOU, {"reply": "asked", "contact_given": True}, True),
        (HANGZHOU, {"reply": "asked", "contact_given": False}, False),
        (HANGZHOU, {"reply": "unsaid"}, False),
    ],
)
def test_caller_may_need_no_reply_but_the_centre_always_hears(
    city: str, facts: Mapping[str, object], is_told: bool
) -> None:
    pack = load_pack(city)
    assert pack.has(law.REPLY_CALLER, facts) is is_told
    assert pack.must(law.REPLY_CENTRE)


# 12
def test_hangzhou_exemption_dies_with_the_decision_it_rests_on() -> None:
    pack = load_pack(HANGZHOU)
    assert pack.has(law.EXEMPT_INTEREST, {"decision_stands": True})
    assert not pack.has(law.EXEMPT_INTEREST, {"decision_stands": False})


def test_hangzhou_rewards_and_spares_only_in_the_three_hard_matters() -> None:
    pack = load_pack(HANGZHOU)
    hard = {"hard_matter": True}
    assert pack.decide(law.INCENTIVE, {**hard, "satisfied": True}).force is Force.MAY
    assert pack.has(law.EXEMPT_HARD, {**hard, "satisfied": False, "dutiful": True})
    assert not pack.has(law.EXEMPT_HARD, {**hard, "satisfied": False, "dutiful": False})
    assert not pack.has(law.INCENTIVE, {"hard_matter": False, "satisfied": True})


# 13
def test_hangzhou_says_reason_and_information_before_it_refuses() -> None:
    pack = load_pack(HANGZHOU)
    for rule in (law.REFUSE_SECRET, law.REFUSE_NOT_SERVICE):
        assert pack.decide(rule).value.reason_first
    route = {"route": "litigation", "stage": "should_enter"}
    assert pack.decide(law.REFUSE_ROUTE, route).value.reason_first


# 14, 15
def test_recusal_and_monthly_figures_are_jinans() -> None:
    assert _given(law.RECUSAL) == {JINAN}
    assert load_pack(JINAN).must(law.ACCUSED)
    assert _given(law.ACCEPTANCE_EVERY) == {JINAN}


# 16
def test_late_knowledge_is_a_ground_of_supervision_but_not_in_hangzhou() -> None:
    assert _given(law.ON_KNOWLEDGE) == {JINAN, TAIAN, TONGLIAO}
    assert load_pack(JINAN).decide(law.UPDATE).value is Promptness.REAL_TIME


# 17
@pytest.mark.parametrize(
    ("city", "reason_check", "force", "of"),
    [
        (JINAN, False, Force.MUST, {OverdueOf.HANDLING}),
        (JINAN_DRAFT, True, Force.MUST, {OverdueOf.HANDLING}),
        (TAIAN, False, Force.MUST, {OverdueOf.HANDLING}),
        (HANGZHOU, False, Force.MAY, {OverdueOf.STATUTORY, OverdueOf.FEEDBACK}),
        (TONGLIAO, True, Force.MUST, {OverdueOf.HANDLING}),
    ],
)
def test_overdue_is_checked_for_a_reason_where_the_text_says_so(
    city: str, reason_check: bool, force: Force, of: set[OverdueOf]
) -> None:
    overdue = load_pack(city).decide(law.ON_OVERDUE)
    assert overdue.value.reason_check is reason_check
    assert overdue.force is force
    assert set(overdue.value.of) == of


def test_each_city_knows_its_own_grounds_of_supervision() -> None:
    grounds = {
        city: {n.partition(".")[2] for n in load_pack(city).group("trigger")} for city in CITIES
    }
    assert grounds == {
        JINAN: {"overdue", "repeated", "knowledge", "other"},
        JINAN_DRAFT: {"overdue", "repeated", "leader"},
        TAIAN: {"overdue", "refused", "repeated", "knowledge", "impact", "other"},
        HANGZHOU: {"overdue", "life_or_property", "shirking"},
        TONGLIAO: {"overdue", "refused", "unsolved", "knowledge", "other"},
    }
