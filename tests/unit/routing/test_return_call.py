"""Return calls: the table, the turns, the places."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from base.ids import CallId
from routing.hours import LOCAL
from routing.return_call import (
    IN_FLIGHT,
    OPEN,
    TABLE,
    ReturnCall,
    ReturnReason,
    ReturnRules,
    ReturnState,
    ReturnTrigger,
    Seen,
    move,
    next_turns,
    triggers,
)

AT = datetime(2026, 11, 27, 10, tzinfo=LOCAL)
RULES = ReturnRules()
S, T = ReturnState, ReturnTrigger


def wanted(
    number: int = 1, *, minutes_ago: int = 5, reason: ReturnReason = ReturnReason.REQUESTED
) -> ReturnCall:
    return ReturnCall(
        id=number,
        number=f"138{number:08}",
        reason=reason,
        queue="hotline",
        place_at=AT - timedelta(minutes=minutes_ago),
        state=S.REQUESTED,
        attempts=0,
        due_at=AT - timedelta(minutes=minutes_ago),
        changed_at=AT - timedelta(minutes=minutes_ago),
    )


def test_a_virtual_caller_takes_the_place_the_citizen_had_and_passes_nobody() -> None:
    waiting = [("hotline", AT - timedelta(minutes=m)) for m in (8, 6, 3, 1)]
    waiting.append(("law", AT - timedelta(minutes=30)))
    turns = next_turns([wanted(1, minutes_ago=5)], waiting, at=AT, rules=RULES)
    assert [turn.place for turn in turns] == [3]


def test_two_who_asked_stand_in_the_order_of_their_asking() -> None:
    calls = [wanted(1, minutes_ago=4), wanted(2, minutes_ago=5)]
    turns = next_turns(calls, [("hotline", AT - timedelta(minutes=9))], at=AT, rules=RULES)
    assert [(turn.of.id, turn.place) for turn in turns] == [(2, 2), (1, 3)]


def test_a_storm_of_abandoned_calls_takes_one_place_at_the_end_at_a_time() -> None:
    calls = [wanted(n, reason=ReturnReason.ABANDONED) for n in range(500)]
    (turn,) = next_turns(calls, [("hotline", AT)], at=AT, rules=RULES)
    assert turn.place is None
    in_line = [replace(turn.of, state=S.RESERVED, changed_at=AT), *calls[1:]]
    assert next_turns(in_line, [("hotline", AT)], at=AT, rules=RULES) == []


def test_who_hung_up_first_and_stands_at_the_end_costs_no_place_of_who_asked() -> None:
    hung_up = wanted(1, minutes_ago=9, reason=ReturnReason.ABANDONED)
    at_the_end = replace(hung_up, state=S.RESERVED, changed_at=AT)
    came_later = ("hotline", AT - timedelta(minutes=3))
    (turn,) = next_turns([at_the_end, wanted(2)], [came_later], at=AT, rules=RULES)
    assert (turn.of.id, turn.place) == (2, 1)


def test_nobody_who_did_not_ask_is_called_at_night() -> None:
    night = AT.replace(hour=23)
    calls = [wanted(1, reason=ReturnReason.ABANDONED), wanted(2)]
    assert [t.of.id for t in next_turns(calls, [], at=night, rules=RULES)] == [2]


def test_a_citizen_who_is_not_reached_is_tried_again_later_and_not_for_ever() -> None:
    one: ReturnCall | None = replace(wanted(), state=S.RESERVED)
    at, pauses = AT, []
    while one is not None and one.state is not S.GIVEN_UP:
        one = move(one, T.TAKEN, at=at, rules=RULES)
        assert one is not None
        one = move(one, T.NOT_REACHED, at=at, rules=RULES)
        assert one is not None
        if one.state is S.FAILED:
            pauses.append(one.due_at - at)
            assert next_turns([one], [], at=at, rules=RULES) == []
            at = one.due_at
            one = move(one, T.RESERVE, at=at, rules=RULES)
    assert pauses == list(RULES.retry_after)
    assert one is not None
    assert one.attempts == 3


def test_a_conversation_that_nobody_saw_ends_as_done_and_is_not_called_again() -> None:
    one = replace(wanted(), state=S.RESERVED, call=CallId("x"))
    seen = Seen(is_live=False, dialled=True, answered=True)
    states = []
    while found := triggers(one, seen, at=AT, rules=RULES):
        moved = move(one, found[0], at=AT, rules=RULES)
        assert moved is not None
        one = moved
        states.append(one.state)
    assert states == [S.DIALLING, S.CONNECTED, S.DONE]


def test_a_vanished_virtual_caller_joins_again_without_counting_as_an_attempt() -> None:
    one = replace(wanted(), state=S.RESERVED, call=CallId("x"))
    assert triggers(one, Seen(is_live=False), at=AT, rules=RULES) == [T.LOST]
    back = move(one, T.LOST, at=AT, rules=RULES)
    assert back is not None
    assert (back.state, back.attempts) == (S.REQUESTED, 0)


def test_who_calls_again_and_is_answered_is_not_called_back() -> None:
    for state in (S.REQUESTED, S.RESERVED, S.FAILED):
        one = replace(wanted(), state=state, call=CallId("x"))
        seen = Seen(is_live=True, called_again=True)
        assert triggers(one, seen, at=AT, rules=RULES) == [T.CALLED_AGAIN]


def test_states_in_which_a_citizen_may_be_dialled_are_entered_by_an_agents_hand_alone() -> None:
    into_dialling = {pair for pair, state in TABLE.items() if state is S.DIALLING}
    assert into_dialling == {(S.RESERVED, T.TAKEN)}
    assert {state for state, _ in TABLE} <= OPEN


minutes = st.integers(0, 60)


@given(
    st.lists(st.tuples(minutes, st.sampled_from(ReturnReason)), max_size=30),
    st.lists(minutes, max_size=30),
)
def test_no_waiting_caller_is_ever_passed_by_somebody_who_queued_later(
    asked: list[tuple[int, ReturnReason]], waiting_since: list[int]
) -> None:
    calls = [wanted(n, minutes_ago=m, reason=r) for n, (m, r) in enumerate(asked)]
    line = sorted(AT - timedelta(minutes=m) for m in waiting_since)
    real = list(line)
    places: list[datetime] = list(line)
    for turn in next_turns(calls, [("hotline", at) for at in real], at=AT, rules=RULES):
        if turn.place is None:
            places.append(AT)
        else:
            places.insert(turn.place - 1, turn.of.place_at)
    assert places == sorted(places)
    assert len(places) - len(real) <= RULES.in_line_most


@given(st.sampled_from(S), st.lists(st.sampled_from(T), max_size=40))
def test_a_return_call_never_leaves_an_end_and_its_attempts_never_fall(
    state: ReturnState, course: list[ReturnTrigger]
) -> None:
    one = replace(wanted(), state=state)
    for trigger in course:
        after = move(one, trigger, at=AT, rules=RULES)
        if after is None:
            continue
        assert one.state in OPEN
        assert after.attempts - one.attempts == (trigger is T.TAKEN)
        assert after.attempts <= RULES.attempts_most or after.state in IN_FLIGHT
        one = after
