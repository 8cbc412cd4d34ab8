"""Which desk shows what: pops exactly once a ring, on the right desk alone (invariant 5)."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base.ids import AgentId, CallId, RingId
from routing.agents import AgentState, IllegalMove, Trigger
from routing.desks import (
    ClearDesk,
    CloseCall,
    DeskEffect,
    Desks,
    Moved,
    OpenCall,
    RestoreWrapUp,
    SetQueueMark,
    ShowPop,
    WithdrawPop,
)
from routing.reservations import NotReserved
from telephony import events as tel

AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
ONE, TWO = AgentId("1001"), AgentId("1002")
CALL, OTHER_CALL = CallId("hotline-1.1"), CallId("hotline-1.9")


def ring_of(agent: AgentId, call: CallId = CALL) -> RingId:
    return RingId(f"{call}:{agent}")


def rings(agent: AgentId, call: CallId = CALL) -> tel.AgentRinging:
    return tel.AgentRinging(call=call, ring=ring_of(agent, call), agent=agent, at=AT)


def ring_ends(agent: AgentId, reason: tel.RingEnd) -> tel.AgentRingEnded:
    return tel.AgentRingEnded(call=CALL, ring=ring_of(agent), agent=agent, reason=reason, at=AT)


def answers(agent: AgentId, call: CallId = CALL) -> tel.CallAnswered:
    return tel.CallAnswered(call=call, ring=ring_of(agent, call), agent=agent, at=AT)


def ends(call: CallId = CALL) -> tel.CallEnded:
    return tel.CallEnded(call=call, outcome=tel.Outcome.ANSWERED, at=AT)


@pytest.fixture
def desks() -> Desks:
    made = Desks([ONE, TWO], at=AT)
    for agent in (ONE, TWO):
        made.wish(agent, Trigger.GO_READY, at=AT)
    return made


def of_kind(effects: list[DeskEffect], *kinds: type) -> list[DeskEffect]:
    return [effect for effect in effects if isinstance(effect, kinds)]


def test_the_ringing_agents_desk_alone_shows_the_pop(desks: Desks) -> None:
    assert of_kind(desks.apply(rings(ONE)), ShowPop) == [ShowPop(ONE, ring_of(ONE), CALL, AT)]


def test_a_repeated_ring_event_shows_nothing_twice(desks: Desks) -> None:
    desks.apply(rings(ONE))
    assert desks.apply(rings(ONE)) == []


def test_the_pop_goes_when_another_answers(desks: Desks) -> None:
    desks.apply(rings(ONE))
    effects = desks.apply(ring_ends(ONE, tel.RingEnd.ANSWERED_ELSEWHERE))
    assert WithdrawPop(ONE, ring_of(ONE), "answered_elsewhere") in effects
    assert desks.get(ONE).state is AgentState.READY


def test_the_answering_agent_gets_the_call_and_loses_the_pop(desks: Desks) -> None:
    desks.apply(rings(ONE))
    effects = desks.apply(answers(ONE))
    assert of_kind(effects, WithdrawPop, OpenCall) == [
        WithdrawPop(ONE, ring_of(ONE), "answered"),
        OpenCall(ONE, CALL, AT),
    ]
    assert desks.apply(answers(ONE)) == []


def test_the_end_of_the_call_closes_it_once_and_starts_the_wrap_up(desks: Desks) -> None:
    desks.apply(rings(ONE))
    desks.apply(answers(ONE))
    effects = desks.apply(ends())
    assert CloseCall(ONE, CALL, AT) in effects
    assert SetQueueMark(ONE, is_paused=True, reason="wrap_up") in effects
    assert desks.apply(tel.AgentLeft(call=CALL, agent=ONE, at=AT)) == []


def test_the_desk_is_cleared_when_the_wrap_up_ends(desks: Desks) -> None:
    for event in (rings(ONE), answers(ONE), ends()):
        desks.apply(event)
    effects = desks.wish(ONE, Trigger.WRAPPED_UP, at=AT)
    assert ClearDesk(ONE, CALL) in effects
    assert desks.get(ONE).call is None


def test_a_new_ring_clears_what_a_phone_code_left_on_the_desk(desks: Desks) -> None:
    for event in (rings(ONE), answers(ONE), ends()):
        desks.apply(event)
    desks.apply(tel.AgentPauseChanged(agent=ONE, is_paused=False, reason="", at=AT))
    effects = desks.apply(rings(ONE, OTHER_CALL))
    assert of_kind(effects, ClearDesk, ShowPop) == [
        ClearDesk(ONE, CALL),
        ShowPop(ONE, ring_of(ONE, OTHER_CALL), OTHER_CALL, AT),
    ]


def test_an_agent_in_a_call_cannot_sign_out(desks: Desks) -> None:
    desks.apply(answers(ONE))
    with pytest.raises(IllegalMove):
        desks.wish(ONE, Trigger.SIGN_OUT, at=AT)


def test_after_a_restart_the_queues_mark_tells_the_state() -> None:
    desks = Desks([ONE, TWO], at=AT)
    effects = desks.apply(tel.AgentPauseChanged(agent=ONE, is_paused=True, reason="wrap_up", at=AT))
    assert RestoreWrapUp(ONE) in effects
    desks.apply(tel.AgentPauseChanged(agent=TWO, is_paused=True, reason="meal", at=AT))
    assert (desks.get(TWO).state, desks.get(TWO).pause_reason) == (AgentState.PAUSED, "meal")
    assert not of_kind(effects, SetQueueMark)


@pytest.mark.parametrize("reason", ["wrap_up", "reserved", "lunch"])
def test_the_late_echo_of_a_mark_does_not_bring_back_who_has_signed_out(
    desks: Desks, reason: str
) -> None:
    desks.wish(ONE, Trigger.SIGN_OUT, at=AT)
    assert desks.apply(marked(ONE, reason)) == []
    assert desks.get(ONE).state is AgentState.OFFLINE


def test_strangers_change_nothing(desks: Desks) -> None:
    assert desks.apply(rings(AgentId("9999"))) == []
    assert desks.apply(ring_ends(TWO, tel.RingEnd.NO_ANSWER)) == []


EVENTS = st.one_of(
    st.builds(rings, st.sampled_from([ONE, TWO]), st.sampled_from([CALL, OTHER_CALL])),
    st.builds(answers, st.sampled_from([ONE, TWO]), st.sampled_from([CALL, OTHER_CALL])),
    st.builds(ring_ends, st.sampled_from([ONE, TWO]), st.sampled_from(tel.RingEnd)),
    st.builds(ends, st.sampled_from([CALL, OTHER_CALL])),
)


@given(st.lists(EVENTS, max_size=30))
def test_whatever_happens_a_desk_shows_at_most_one_pop(events: list[tel.TelephonyEvent]) -> None:
    desks = Desks([ONE, TWO], at=AT)
    shown: Counter[AgentId] = Counter()
    for event in events:
        for effect in desks.apply(event):
            match effect:
                case ShowPop():
                    shown[effect.agent] += 1
                case WithdrawPop():
                    shown[effect.agent] -= 1
                case _:
                    pass
            assert shown[ONE] in (0, 1)
            assert shown[TWO] in (0, 1)


def test_unseen_end_of_a_conversation_puts_its_desk_in_wrap_up(desks: Desks) -> None:
    effects = desks.resume_wrap_up(ONE, CALL, at=AT)
    assert of_kind(effects, SetQueueMark) == [SetQueueMark(ONE, is_paused=True, reason="wrap_up")]
    assert (desks.get(ONE).state, desks.get(ONE).call) == (AgentState.WRAP_UP, CALL)
    assert desks.resume_wrap_up(ONE, CALL, at=AT) == []
    assert ClearDesk(ONE, CALL) in desks.resume_wrap_up(ONE, OTHER_CALL, at=AT)


def test_unseen_end_disturbs_nobody_who_is_busy_or_unknown(desks: Desks) -> None:
    desks.apply(rings(ONE))
    assert desks.resume_wrap_up(ONE, OTHER_CALL, at=AT) == []
    desks.apply(answers(TWO))
    assert desks.resume_wrap_up(TWO, OTHER_CALL, at=AT) == []
    assert desks.resume_wrap_up(AgentId("9999"), CALL, at=AT) == []


# ---- every state is found again, and none stays --------------------------------------------------

LEASE = timedelta(seconds=30)


def phone(agent: AgentId, phone: tel.AgentPhone) -> tel.AgentPhoneChanged:
    return tel.AgentPhoneChanged(agent=agent, phone=phone, at=AT)


def marked(agent: AgentId, reason: str = "", *, is_paused: bool = True) -> tel.AgentPauseChanged:
    return tel.AgentPauseChanged(agent=agent, is_paused=is_paused, reason=reason, at=AT)


def steps(effects: list[DeskEffect]) -> list[str]:
    return [f"{e.old} {e.event} {e.new}" for e in effects if isinstance(e, Moved)]


def test_each_step_is_told_with_what_led_to_it(desks: Desks) -> None:
    told = [step for event in (rings(ONE), answers(ONE), ends()) for step in desks.apply(event)]
    told += desks.wish(ONE, Trigger.WRAPPED_UP, at=AT, by="agent")
    assert steps(told) == [
        "ready ring ringing",
        "ringing answer talking",
        "talking call_over wrap_up",
        "wrap_up wrapped_up ready",
    ]
    moves = [effect for effect in told if isinstance(effect, Moved)]
    assert {move.call for move in moves} == {CALL}
    assert [move.by for move in moves] == ["switch", "switch", "switch", "agent"]


def test_a_hold_is_the_agents_own_and_ends_with_the_call(desks: Desks) -> None:
    desks.apply(answers(ONE))
    assert desks.apply(tel.LegHeld(call=CALL, speaker="citizen", at=AT)) == []
    desks.apply(tel.LegHeld(call=CALL, speaker="agent", at=AT))
    assert desks.get(ONE).state is AgentState.HOLDING
    desks.apply(tel.LegResumed(call=CALL, speaker="agent", at=AT))
    assert desks.get(ONE).state is AgentState.TALKING
    desks.apply(tel.LegHeld(call=CALL, speaker="agent", at=AT))
    assert CloseCall(ONE, CALL, AT) in desks.apply(ends())


def test_a_ready_agent_without_a_phone_is_lost_until_it_is_back(desks: Desks) -> None:
    assert steps(desks.apply(phone(ONE, tel.AgentPhone.UNREACHABLE))) == ["ready phone_lost lost"]
    desks.wish(ONE, Trigger.GO_PAUSED, at=AT, reason="meal")
    assert desks.get(ONE).state is AgentState.PAUSED
    told = desks.wish(ONE, Trigger.GO_READY, at=AT)
    assert steps(told) == ["paused go_ready ready", "ready phone_lost lost"]
    assert desks.apply(phone(ONE, tel.AgentPhone.UNREACHABLE)) == []
    assert steps(desks.apply(phone(ONE, tel.AgentPhone.IDLE))) == ["lost phone_back ready"]


def test_a_phone_lost_in_a_call_costs_the_call_nothing_and_readiness_afterwards(
    desks: Desks,
) -> None:
    desks.apply(answers(ONE))
    assert not steps(desks.apply(phone(ONE, tel.AgentPhone.UNREACHABLE)))
    assert desks.get(ONE).state is AgentState.TALKING
    desks.apply(ends())
    desks.wish(ONE, Trigger.WRAPPED_UP, at=AT)
    assert desks.get(ONE).state is AgentState.LOST


def test_a_reserved_agent_is_not_rung_and_is_free_when_the_lease_ends(desks: Desks) -> None:
    made, effects = desks.reserve(ONE, "return_call", at=AT, lease=LEASE, call=CALL)
    assert SetQueueMark(ONE, is_paused=True, reason="reserved") in effects
    assert [e.reason for e in effects if isinstance(e, Moved)] == ["return_call"]
    desks.check_reserved(made, at=AT)
    with pytest.raises(IllegalMove):
        desks.reserve(ONE, "transfer", at=AT, lease=LEASE)
    assert desks.end_leases(AT + LEASE / 2) == []
    effects = desks.end_leases(AT + LEASE)
    assert SetQueueMark(ONE, is_paused=False, reason="ready") in effects
    assert desks.get(ONE).state is AgentState.READY
    with pytest.raises(NotReserved):
        desks.check_reserved(made, at=AT)


def test_a_reserved_agent_who_goes_on_to_something_else_is_no_longer_reserved(
    desks: Desks,
) -> None:
    made, _ = desks.reserve(ONE, "transfer", at=AT, lease=LEASE)
    desks.apply(rings(ONE))
    desks.check_reserved(made, at=AT)  # the ring may yet be withdrawn
    desks.apply(answers(ONE))
    with pytest.raises(NotReserved):
        desks.check_reserved(made, at=AT)
    assert not desks.end_leases(AT + LEASE)
    assert desks.get(ONE).state is AgentState.TALKING


def test_a_phone_code_frees_a_reserved_agent(desks: Desks) -> None:
    made, _ = desks.reserve(ONE, "transfer", at=AT, lease=LEASE)
    desks.apply(marked(ONE, is_paused=False))
    with pytest.raises(NotReserved):
        desks.check_reserved(made, at=AT)
    # Our own mark may come after it: nobody stays out of the queues for a lease that is over.
    told = desks.apply(marked(ONE, "reserved"))
    assert SetQueueMark(ONE, is_paused=False, reason="ready") in told


def test_a_reservation_whose_maker_died_is_freed_by_the_next_bridge() -> None:
    desks = Desks([ONE], at=AT)
    effects = desks.apply(marked(ONE, "reserved"))
    assert SetQueueMark(ONE, is_paused=False, reason="ready") in effects
    assert desks.get(ONE).state is AgentState.READY


@pytest.mark.parametrize(
    ("device", "was_signed_in", "found"),
    [
        (tel.AgentPhone.IDLE, False, AgentState.READY),
        (tel.AgentPhone.UNREACHABLE, True, AgentState.LOST),
        (tel.AgentPhone.UNREACHABLE, False, AgentState.OFFLINE),
    ],
)
def test_a_bridge_that_starts_finds_whom_the_queues_ring(
    device: tel.AgentPhone, was_signed_in: bool, found: AgentState
) -> None:
    desks = Desks([ONE], at=AT, signed_in={ONE} if was_signed_in else ())
    desks.apply(phone(ONE, device))
    desks.look_again({ONE: False}, at=AT)
    assert desks.get(ONE).state is found


def test_a_mark_that_was_lost_on_the_way_is_found_wrong(desks: Desks) -> None:
    for event in (rings(ONE), answers(ONE), ends()):
        desks.apply(event)
    assert desks.wrong_marks({ONE: False, TWO: False}) == {
        SetQueueMark(ONE, is_paused=True, reason="wrap_up")
    }
    assert not desks.wrong_marks({ONE: True, TWO: False})
