"""The ladder with a caller who misuses the line, under each city's own law."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base.errors import HotlineError
from base.ids import CallId, UserId
from routing.nuisance import (
    MANY_TIMES,
    MARK_LIFE,
    TABLE,
    WARNING_LIFE,
    MisuseUnknown,
    NotGoingOn,
    NotWarned,
    SamePerson,
    Standing,
    Step,
    StepIllegal,
    StepKind,
    StillWaiting,
    Taken,
    Wish,
    has_suspension,
    misuses,
    offers,
    read,
    take,
)
from rules.library import load_pack, load_packs
from rules.pack import FactMissingError, RuleNotGivenError
from rules.values import Misuse
from tests.fakes.by_city import by_city

JINAN, DRAFT, TAIAN = "jinan_2018", "jinan_draft_2018", "taian_draft"
HANGZHOU, TONGLIAO = "hangzhou_2024", "tongliao_2024"
OTHERS = sorted(load_packs().keys() - {HANGZHOU})
NOW = datetime(2026, 11, 27, 2, tzinfo=UTC)
AGENT, LEADER = UserId("agent"), UserId("leader")
FIRST, SECOND, THIRD = CallId("a-1"), CallId("a-2"), CallId("a-3")
K, REPEATED, ABUSE = StepKind, Misuse.REPEATED_USE, Misuse.HARASSMENT


class Line:
    """One caller, under one city's law."""

    def __init__(self, city: str = HANGZHOU) -> None:
        self.pack = load_pack(city)
        self.now = NOW
        self.steps: list[Step] = []

    def do(
        self,
        kind: StepKind,
        misuse: Misuse | None = REPEATED,
        *,
        call: CallId | None = FIRST,
        by: UserId | None = AGENT,
        is_illegal: bool | None = None,
    ) -> Taken:
        wish = Wish(kind=kind, misuse=misuse, call=call, by=by, is_illegal=is_illegal)
        taken = take(read(self.steps, self.now), wish, self.pack, self.now)
        self.steps.append(taken.step)
        return taken

    def wait(self, **time: float) -> None:
        self.now += timedelta(**time)

    def standing(self) -> Standing:
        return read(self.steps, self.now).standing

    def suspend(self, misuse: Misuse = REPEATED) -> Taken:
        """All the way, as the law has it."""
        self.do(K.MARK, misuse)
        self.do(K.WARN, misuse)
        self.wait(minutes=6)
        self.do(K.MARK, misuse, call=SECOND)
        self.do(K.PROPOSE, misuse, call=SECOND)
        return self.do(K.APPROVE, None, by=LEADER)


@pytest.mark.requirement("R115", city="hangzhou_2024")
def test_repeated_use_is_warned_given_its_time_and_then_suspended_by_a_second_person() -> None:
    line = Line()
    warned = line.do(K.WARN)
    assert "29" in warned.card.articles[0] if warned.card else False
    assert warned.step.until == NOW + timedelta(minutes=5)
    line.wait(minutes=4)
    line.do(K.MARK, call=SECOND)
    with pytest.raises(StillWaiting):
        line.do(K.PROPOSE, call=SECOND)
    line.wait(minutes=2)
    with pytest.raises(NotGoingOn):  # the mark was within the time given
        line.do(K.PROPOSE, call=SECOND)
    line.do(K.MARK, call=SECOND)
    proposed = line.do(K.PROPOSE, call=SECOND)
    assert proposed.card is not None
    assert proposed.card.articles == ("29.1",)
    with pytest.raises(SamePerson):
        line.do(K.APPROVE, None, by=AGENT)
    approved = line.do(K.APPROVE, None, by=LEADER)
    assert line.standing() is Standing.SUSPENDED
    assert approved.step.until == line.now + timedelta(hours=24)
    assert "110" in approved.script
    line.wait(hours=24)
    assert line.standing() is Standing.NONE


@pytest.mark.requirement("R116", city="hangzhou_2024")
def test_abuse_is_suspended_after_a_warning_without_waiting_but_not_in_the_same_call() -> None:
    line = Line()
    line.do(K.WARN, ABUSE)
    line.do(K.MARK, ABUSE)
    with pytest.raises(NotGoingOn):
        line.do(K.PROPOSE, ABUSE)
    line.do(K.MARK, ABUSE, call=SECOND)
    proposed = line.do(K.PROPOSE, ABUSE, call=SECOND)
    assert proposed.card is not None
    assert proposed.card.articles == ("29.2",)
    line.do(K.APPROVE, None, by=LEADER)
    assert line.standing() is Standing.SUSPENDED


@by_city("R118", TAIAN, TONGLIAO)
def test_consequences_are_told_in_the_words_of_the_pack_after_dissuasion_and_nothing_is_suspended(
    city: str,
) -> None:
    line = Line(city)
    with pytest.raises(NotWarned):
        line.do(K.INFORM)
    dissuaded = line.do(K.WARN)
    with pytest.raises(StepIllegal):  # not before all that this law tells is told
        line.do(K.END_CALL)
    informed = line.do(K.INFORM)
    assert dissuaded.script
    assert "法律后果" in informed.script
    assert informed.card is not None
    assert line.do(K.END_CALL).script
    for kind in (K.PROPOSE, K.APPROVE):
        with pytest.raises(RuleNotGivenError):
            line.do(kind, call=SECOND, by=LEADER)


@pytest.mark.requirement("R124")
@pytest.mark.parametrize("city", OTHERS)
def test_no_other_city_offers_or_takes_a_suspension(city: str) -> None:
    """Trap 9: absent from what is offered, refused with the law's own card where it is asked."""
    line = Line(city)
    pack = line.pack
    assert not has_suspension(pack)
    line.do(K.WARN)
    line.wait(days=1)
    line.do(K.MARK, call=SECOND)
    case = read(line.steps, line.now)
    kinds = {offer.kind for offer in offers(case, REPEATED, SECOND, pack, line.now)}
    assert K.PROPOSE not in kinds
    assert K.WARN in kinds
    with pytest.raises(RuleNotGivenError) as refused:
        line.do(K.PROPOSE, call=SECOND)
    assert refused.value.code == "rule_not_given"
    assert refused.value.card is not None


def test_hangzhou_offers_no_consequences_and_shows_why_a_proposal_must_wait() -> None:
    offered = {o.kind: o for o in offers(read([], NOW), REPEATED, FIRST, load_pack(HANGZHOU), NOW)}
    assert K.INFORM not in offered
    assert offered[K.WARN].script
    assert isinstance(offered[K.PROPOSE].refusal, NotWarned)


KINDS = {
    JINAN: "distortion slander repeated_use long_occupation harassment",
    DRAFT: "repeated_use long_occupation distortion slander harassment",
    TAIAN: "distortion slander repeated_use long_occupation harassment improper_gain"
    " harm_to_others other_disorder",
    HANGZHOU: "repeated_use long_occupation harassment",
    TONGLIAO: "distortion slander harm_to_others improper_gain repeated_use long_occupation"
    " harassment other_disorder",
}


@by_city("R119", JINAN, TAIAN, TONGLIAO, others=(DRAFT, HANGZHOU))
def test_reasons_are_the_codes_of_each_citys_law(city: str) -> None:
    assert set(misuses(load_pack(city))) == set(KINDS[city].split())
    for kind in Misuse:
        if kind.value in KINDS[city].split():
            Line(city).do(K.MARK, kind)
        else:
            with pytest.raises(MisuseUnknown):
                Line(city).do(K.MARK, kind)


@pytest.mark.parametrize(
    ("city", "misuse", "needs"),
    [
        pytest.param(
            *each,
            marks=pytest.mark.requirement("R124")
            if each[0] == DRAFT
            else pytest.mark.requirement("R117", city=each[0]),
        )
        for each in (
            (JINAN, Misuse.REPEATED_USE, "warning"),
            (JINAN, Misuse.HARASSMENT, "nothing"),
            (DRAFT, Misuse.REPEATED_USE, "warning"),
            (DRAFT, Misuse.SLANDER, "nothing"),
            (TAIAN, Misuse.SLANDER, "nothing"),
            (HANGZHOU, Misuse.HARASSMENT, "many times"),
        )
    ],
)
def test_evidence_for_the_police_is_put_together_where_the_law_hands_over(
    city: str, misuse: Misuse, needs: str
) -> None:
    line = Line(city)
    with pytest.raises((RuleNotGivenError, FactMissingError)):
        line.do(K.EVIDENCE, misuse, by=LEADER)
    with pytest.raises(RuleNotGivenError):
        line.do(K.EVIDENCE, misuse, by=LEADER, is_illegal=False)
    if needs != "nothing":
        with pytest.raises(RuleNotGivenError):
            line.do(K.EVIDENCE, misuse, by=LEADER, is_illegal=True)
    if needs == "warning":
        line.do(K.WARN, misuse)
    if needs == "many times":
        for number in range(MANY_TIMES):
            line.do(K.MARK, misuse, call=CallId(f"m-{number}"))
    assert line.do(K.EVIDENCE, misuse, by=LEADER, is_illegal=True).card is not None


def test_tongliao_hands_nothing_to_the_police() -> None:
    with pytest.raises(RuleNotGivenError):
        Line(TONGLIAO).do(K.EVIDENCE, REPEATED, by=LEADER, is_illegal=True)


def test_a_warning_of_one_misuse_is_none_of_another() -> None:
    line = Line()
    line.do(K.WARN, ABUSE)
    line.wait(hours=1)
    line.do(K.MARK, REPEATED, call=SECOND)
    with pytest.raises(NotWarned):
        line.do(K.PROPOSE, REPEATED, call=SECOND)


def test_each_suspension_needs_its_own_warning() -> None:
    line = Line()
    line.suspend()
    line.wait(hours=25)
    line.do(K.MARK, call=THIRD)
    with pytest.raises(NotWarned):
        line.do(K.PROPOSE, call=THIRD)


def test_an_objection_is_reviewed_and_lifting_ends_it_at_once() -> None:
    line = Line()
    line.suspend()
    line.do(K.OBJECT, None, by=None)
    line.do(K.REVIEW, None, by=LEADER)
    assert line.standing() is Standing.SUSPENDED
    line.do(K.LIFT, None, by=LEADER)
    assert line.standing() is Standing.NONE
    with pytest.raises(StepIllegal):
        line.do(K.LIFT, None, by=LEADER)


def test_old_warnings_proposals_and_marks_count_no_more() -> None:
    line = Line()
    line.do(K.MARK)
    line.do(K.WARN)
    line.wait(minutes=6)
    line.do(K.MARK, call=SECOND)
    line.do(K.PROPOSE, call=SECOND)
    line.wait(seconds=WARNING_LIFE.total_seconds())
    assert line.standing() is Standing.NONE
    with pytest.raises(HotlineError):
        line.do(K.APPROVE, None, by=LEADER)
    line.wait(seconds=MARK_LIFE.total_seconds())
    assert read(line.steps, line.now).marks == ()


@pytest.mark.parametrize("misuse", [REPEATED, ABUSE])
def test_a_call_is_ended_only_after_a_warning_in_that_very_call(misuse: Misuse) -> None:
    line = Line()
    with pytest.raises(NotWarned):
        line.do(K.END_CALL, misuse)
    line.do(K.WARN, misuse)
    if misuse is REPEATED:
        with pytest.raises(StillWaiting):
            line.do(K.END_CALL, misuse)
        line.wait(minutes=5)
    assert line.do(K.END_CALL, misuse).step.kind is K.END_CALL
    with pytest.raises(NotWarned):
        line.do(K.END_CALL, misuse, call=SECOND)


def test_every_standing_has_a_way_out() -> None:
    """By a person's step, or by time alone (WARNED, INFORMED, PROPOSED, SUSPENDED)."""
    leaving = {was for (was, _), then in TABLE.items() if then is not was}
    by_time = {Standing.INFORMED}
    assert set(Standing) - leaving - by_time == set()


WISHES = st.tuples(
    st.sampled_from(StepKind),
    st.sampled_from([REPEATED, Misuse.LONG_OCCUPATION, ABUSE]),
    st.sampled_from([FIRST, SECOND, THIRD]),
    st.sampled_from([AGENT, LEADER, None]),
    st.integers(0, 2000),
)


def play(city: str, wishes: Sequence[tuple[StepKind, Misuse, CallId, UserId | None, int]]) -> Line:
    line = Line(city)
    for kind, misuse, call, by, minutes in wishes:
        line.wait(minutes=minutes / 10)
        try:
            line.do(kind, misuse, call=call, by=by, is_illegal=True)
        except HotlineError:
            continue
    return line


WAY = (K.MARK, K.WARN, K.MARK, K.PROPOSE, K.APPROVE)


@st.composite
def ways(draw: st.DrawFn) -> list[tuple[StepKind, Misuse, CallId, UserId | None, int]]:
    """The lawful way, anything of it perhaps wrong: a step left out, too soon, by the same one."""
    misuse = draw(st.sampled_from([REPEATED, ABUSE]))
    kinds = [kind for kind in WAY if draw(st.integers(0, 9))]
    return [(kind, misuse, *draw(WISHES)[2:]) for kind in kinds]


LIKELY = st.lists(st.one_of(ways(), st.lists(WISHES, max_size=3)), max_size=10).map(
    lambda parts: [wish for part in parts for wish in part]
)


@given(LIKELY)
def test_nobody_is_suspended_without_warning_time_another_call_and_a_second_person(
    wishes: list[tuple[StepKind, Misuse, CallId, UserId | None, int]],
) -> None:
    line = play(HANGZHOU, wishes)
    for at, step in enumerate(line.steps):
        if step.kind is not K.APPROVE:
            continue
        before = line.steps[:at]
        proposal = next(s for s in reversed(before) if s.kind is K.PROPOSE)
        warnings = [s for s in before if s.kind is K.WARN and s.misuse is proposal.misuse]
        assert step.by is not None
        assert step.by != proposal.by
        assert any(
            w.at + WARNING_LIFE > step.at
            and (proposal.misuse is ABUSE or (w.until is not None and w.until <= proposal.at))
            and any(
                m.kind is K.MARK
                and m.misuse is proposal.misuse
                and m.call != w.call
                and m.at >= w.at
                for m in before
            )
            for w in warnings
        )
        assert step.until is not None
        assert step.at < step.until <= step.at + timedelta(days=30)
        # However it went on, it is over by then.
        assert read(line.steps[: at + 1], step.until).standing is not Standing.SUSPENDED
    end = read(line.steps, line.now + timedelta(days=31))
    assert end.standing in (Standing.NONE, Standing.NOTICED)


@given(st.sampled_from(OTHERS), LIKELY)
def test_without_the_power_nobody_is_ever_suspended(
    city: str, wishes: list[tuple[StepKind, Misuse, CallId, UserId | None, int]]
) -> None:
    line = play(city, wishes)
    assert not {K.PROPOSE, K.APPROVE} & {step.kind for step in line.steps}
    assert line.standing() is not Standing.SUSPENDED


@given(LIKELY)
def test_nobody_is_suspended_on_a_first_call(
    wishes: list[tuple[StepKind, Misuse, CallId, UserId | None, int]],
) -> None:
    line = play(HANGZHOU, [(kind, misuse, FIRST, by, wait) for kind, misuse, _, by, wait in wishes])
    assert K.APPROVE not in {step.kind for step in line.steps}
