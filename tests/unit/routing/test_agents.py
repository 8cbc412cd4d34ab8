"""The agent's state machine: what may happen, and what the queues are told."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base.ids import AgentId
from routing.agents import TABLE, Agent, AgentState, IllegalMove, QueueMark, Trigger, move

START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
WISHES = {Trigger.SIGN_OUT, Trigger.GO_READY, Trigger.GO_PAUSED, Trigger.RESERVE}


def agent(state: AgentState, reason: str | None = None) -> Agent:
    return Agent(agent=AgentId("1001"), state=state, since_at=START, pause_reason=reason)


def after(start: Agent, *triggers: Trigger, reason: str | None = None) -> Agent:
    for step, trigger in enumerate(triggers, 1):
        start, _mark = move(start, trigger, at=START + timedelta(seconds=step), reason=reason)
    return start


def test_signing_in_pauses_until_the_agent_wants_calls() -> None:
    signed_in, mark = move(agent(AgentState.OFFLINE), Trigger.SIGN_IN, at=START)
    assert (signed_in.state, signed_in.pause_reason) == (AgentState.PAUSED, "signed_in")
    assert mark is QueueMark.PAUSE
    ready, mark = move(signed_in, Trigger.GO_READY, at=START)
    assert (ready.state, ready.pause_reason, mark) == (AgentState.READY, None, QueueMark.READY)


def test_a_conversation_leads_through_wrap_up_back_to_ready() -> None:
    talking = after(agent(AgentState.READY), Trigger.RING, Trigger.ANSWER)
    assert talking.state is AgentState.TALKING
    wrapping, mark = move(talking, Trigger.CALL_OVER, at=START)
    assert (wrapping.state, mark) == (AgentState.WRAP_UP, QueueMark.PAUSE)
    done, mark = move(wrapping, Trigger.WRAPPED_UP, at=START)
    assert (done.state, mark) == (AgentState.READY, QueueMark.READY)


def test_an_agent_who_does_not_answer_is_paused_with_that_reason() -> None:
    missed, mark = move(after(agent(AgentState.READY), Trigger.RING), Trigger.RING_MISSED, at=START)
    assert (missed.state, missed.pause_reason) == (AgentState.PAUSED, "missed_call")
    assert mark is QueueMark.PAUSE


@pytest.mark.parametrize(
    ("state", "reason"), [(AgentState.READY, None), (AgentState.PAUSED, "meal")]
)
def test_a_withdrawn_ring_leads_back_to_where_the_agent_was(
    state: AgentState, reason: str | None
) -> None:
    back = after(agent(state, reason), Trigger.RING, Trigger.RING_WITHDRAWN)
    assert (back.state, back.pause_reason) == (state, reason)


def test_a_held_conversation_goes_on_or_ends() -> None:
    holding = after(agent(AgentState.TALKING), Trigger.HOLD)
    assert holding.state is AgentState.HOLDING
    assert after(holding, Trigger.RESUME).state is AgentState.TALKING
    assert after(holding, Trigger.CALL_OVER).state is AgentState.WRAP_UP
    assert after(holding, Trigger.RING) == holding


@pytest.mark.parametrize(
    ("state", "reason"),
    [(AgentState.READY, None), (AgentState.PAUSED, "meal"), (AgentState.WRAP_UP, None)],
)
def test_a_dialled_call_leads_back_to_where_the_agent_was(
    state: AgentState, reason: str | None
) -> None:
    dialling = after(agent(state, reason), Trigger.DIAL)
    assert dialling.state is AgentState.TALKING
    assert not dialling.is_with_caller
    held = after(dialling, Trigger.HOLD, Trigger.RESUME)
    back = after(held, Trigger.DIAL_OVER)
    assert (back.state, back.pause_reason) == (state, reason)


def test_the_end_of_no_dialled_call_leaves_a_conversation_alone() -> None:
    talking = agent(AgentState.TALKING)
    assert after(talking, Trigger.DIAL_OVER) == talking


def test_who_loses_the_phone_is_ready_again_when_it_is_back() -> None:
    lost = after(agent(AgentState.READY), Trigger.PHONE_LOST)
    assert lost.state is AgentState.LOST
    assert after(lost, Trigger.PHONE_BACK).state is AgentState.READY
    assert after(lost, Trigger.GO_PAUSED, reason="meal").pause_reason == "meal"
    ringing = after(lost, Trigger.RING)
    assert after(ringing, Trigger.RING_WITHDRAWN).state is AgentState.READY


@pytest.mark.parametrize("meanwhile", [Trigger.PHONE_LOST, Trigger.DIAL, Trigger.RING])
def test_a_lease_that_ends_meanwhile_leads_to_ready_and_not_to_reserved(meanwhile: Trigger) -> None:
    reserved, mark = move(agent(AgentState.READY), Trigger.RESERVE, at=START)
    assert (reserved.state, mark) == (AgentState.RESERVED, QueueMark.PAUSE)
    away, mark = move(after(reserved, meanwhile), Trigger.RELEASE, at=START)
    assert mark is QueueMark.READY
    backs = (Trigger.PHONE_BACK, Trigger.DIAL_OVER, Trigger.RING_WITHDRAWN)
    assert after(away, *backs).state is AgentState.READY


@pytest.mark.parametrize("wish", sorted(WISHES))
def test_nobody_can_leave_a_conversation_by_a_button(wish: Trigger) -> None:
    with pytest.raises(IllegalMove) as refused:
        move(agent(AgentState.TALKING), wish, at=START)
    assert refused.value.params == {"state": "talking", "wish": wish.value}


def test_the_queues_mark_is_mirrored_and_not_sent_back() -> None:
    paused, mark = move(agent(AgentState.READY), Trigger.MARKED_PAUSED, at=START, reason="rest")
    assert (paused.state, paused.pause_reason, mark) == (AgentState.PAUSED, "rest", QueueMark.KEEP)


@given(
    state=st.sampled_from(AgentState),
    triggers=st.lists(st.sampled_from(Trigger), max_size=12),
)
def test_facts_are_always_accepted_and_only_wishes_refused(
    state: AgentState, triggers: list[Trigger]
) -> None:
    now = agent(state)
    for trigger in triggers:
        try:
            now, _mark = move(now, trigger, at=START)
        except IllegalMove:
            assert trigger in WISHES
        assert (now.pause_reason is not None) <= (now.state is AgentState.PAUSED)


def test_a_fact_of_the_switch_never_asks_the_queues_for_ready() -> None:
    ours = {Trigger.WRAPPED_UP, Trigger.SIGN_IN, Trigger.RELEASE}
    facts = set(Trigger) - WISHES - ours
    asked = {mark for (_state, trigger), (_next, mark) in TABLE.items() if trigger in facts}
    assert QueueMark.READY not in asked
