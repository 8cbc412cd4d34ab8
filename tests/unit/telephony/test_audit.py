"""Drift is found and mended; events on their way are no drift."""

from base.ids import AgentId
from telephony.audit import Audit
from telephony.events import AgentPhone
from telephony.snapshot import Agent, Snapshot
from tests.unit.telephony.recordings import NOW, names, run
from tests.unit.telephony.test_resync import truth, until_list


def lost(stage: str, *events: str) -> Snapshot:
    """The live picture at a stage, with these events lost."""
    # The recording begins after the agents' phones were heard of.
    start = Snapshot(agents=truth("greeting", Snapshot()).agents)
    return run([message for message in until_list(stage) if message.name not in events], start)[0]


def test_picture_without_drift_is_left_alone() -> None:
    for stage in ("greeting", "ringing", "talking", "after"):
        live, audit = lost(stage), Audit()
        for _ in range(3):
            after, told = audit.look(live, truth(stage, live), at=NOW)
            assert (after, names(told)) == (live, [])
        assert not audit.has_suspects


def test_lost_hangup_is_mended_at_the_second_look() -> None:
    live, audit = lost("after", "Hangup", "BridgeLeave", "AgentComplete"), Audit()
    assert live.calls
    assert audit.look(live, truth("after", live), at=NOW) == (live, [])
    assert audit.has_suspects
    mended, told = audit.look(live, truth("after", live), at=NOW)
    assert names(told) == ["AgentLeft", "CallEnded"]
    assert not mended.calls
    assert audit.look(mended, truth("after", mended), at=NOW) == (mended, [])


def test_lost_answer_is_mended_at_the_second_look() -> None:
    live, audit = lost("talking", "AgentConnect"), Audit()
    audit.look(live, truth("talking", live), at=NOW)
    mended, told = audit.look(live, truth("talking", live), at=NOW)
    assert "CallAnswered" in names(told)
    assert next(iter(mended.calls.values())).talk is not None


def test_event_that_was_only_late_is_no_drift() -> None:
    late, audit = lost("talking", "AgentConnect"), Audit()
    audit.look(late, truth("talking", late), at=NOW)
    caught_up = lost("talking")
    after, told = audit.look(caught_up, truth("talking", caught_up), at=NOW)
    assert (after, names(told)) == (caught_up, [])
    assert not audit.has_suspects


def test_call_that_moved_between_the_looks_is_looked_at_again() -> None:
    ringing, audit = lost("ringing", "QueueCallerJoin"), Audit()
    audit.look(ringing, truth("talking", ringing), at=NOW)
    moved = lost("talking", "AgentConnect")
    after, told = audit.look(moved, truth("talking", moved), at=NOW)
    assert (after, told) == (moved, [])
    assert audit.has_suspects


def test_agents_phone_that_was_missed_is_mended_alone() -> None:
    live, audit = lost("talking"), Audit()
    known = live.agents[AgentId("1001")]
    asleep = live.with_agent(Agent(known.agent, AgentPhone.UNREACHABLE, known.is_paused))
    audit.look(asleep, truth("talking", live), at=NOW)
    mended, told = audit.look(asleep, truth("talking", live), at=NOW)
    assert [type(event).__name__ for event in told] == ["AgentPhoneChanged"]
    assert mended.calls == asleep.calls


def test_new_picture_makes_old_suspicions_void() -> None:
    live, audit = lost("after", "Hangup", "BridgeLeave", "AgentComplete"), Audit()
    audit.look(live, truth("after", live), at=NOW)
    audit.forget()
    assert audit.look(live, truth("after", live), at=NOW) == (live, [])
