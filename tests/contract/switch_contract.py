"""What every ``Switch`` keeps to: one suite, run on the fake and on real Asterisk.

A class that inherits ``SwitchContract`` gives it a fixture ``stage``.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar

import pytest

from base.ids import AgentId, CallId, StreamId
from telephony.events import (
    AgentLeft,
    AgentPauseChanged,
    AgentRingEnded,
    AgentRinging,
    CallAnswered,
    CallArrived,
    CallEnded,
    CallEvent,
    CallQueued,
    ConsultChanged,
    LegHeld,
    LegResumed,
    LinkChanged,
    Outcome,
    RecordingChanged,
    RingEnd,
    SwitchEvent,
)
from telephony.failures import CallGone, NotDone, TelephonyError
from telephony.snapshot import Snapshot
from telephony.switch import Speaker, Switch
from tests.fakes.ami_server import until

AGENT = AgentId("1001")
ASKED = "1002"
"""Whom the agent asks in the middle of a call: a colleague's telephone."""
Told = TypeVar("Told")


class Stage(Protocol):
    """The people around a switch. One citizen, and agent 1001 with a phone."""

    @property
    def switch(self) -> Switch: ...

    async def citizen_calls(self) -> None: ...

    async def phone_rings(self) -> None:
        """Returns when agent 1001's phone rings."""

    async def agent_answers(self) -> None: ...

    async def agent_declines(self) -> None: ...

    async def agent_hangs_up(self) -> None: ...

    async def citizen_hangs_up(self) -> None: ...

    async def asked_answers(self) -> None:
        """Whoever the agent asks takes the call."""

    async def asked_hangs_up(self) -> None: ...

    async def caller_and_asked_talk(self) -> None:
        """Returns when they hear each other."""

    async def asked_gets_the_caller(self) -> None:
        """Returns when the caller, sent on, was taken by whom they were sent to."""

    async def lose_link(self) -> None: ...

    async def regain_link(self) -> None: ...

    async def speech_hears(self, stream: StreamId) -> None:
        """Returns when the speech server has sound of that stream."""

    async def fork(self, call: CallId, speaker: Speaker, stream: StreamId) -> None:
        """Fork to this stage's speech server."""


class Heard:
    """Everything a switch told, with the picture it showed at that moment."""

    def __init__(self) -> None:
        self.events: list[tuple[SwitchEvent, Snapshot]] = []
        self.has_ended = False

    async def listen(self, switch: Switch) -> None:
        async for event in switch.events():
            self.events.append((event, switch.snapshot()))
        self.has_ended = True

    def all(self, kind: type[Told]) -> list[Told]:
        return [event for event, _ in self.events if isinstance(event, kind)]

    def of_calls(self) -> list[str]:
        return [type(event).__name__ for event, _ in self.events if isinstance(event, CallEvent)]

    def consults(self) -> list[str]:
        return [each.state.value for each in self.all(ConsultChanged)]

    async def until(self, kind: type[Told], *, timeout_s: float = 10) -> Told:
        await until(lambda: self.all(kind), timeout_s=timeout_s, why=kind.__name__)
        return self.all(kind)[-1]

    def snapshot_at(self, wanted: SwitchEvent) -> Snapshot:
        return next(snapshot for event, snapshot in self.events if event == wanted)


@asynccontextmanager
async def listening(switch: Switch) -> AsyncIterator[Heard]:
    heard = Heard()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(switch.run())
        tasks.create_task(heard.listen(switch))
        try:
            up = await heard.until(LinkChanged)
            assert up.is_up
            yield heard
        finally:
            switch.close()


async def answered(stage: Stage, heard: Heard) -> CallAnswered:
    await stage.citizen_calls()
    await stage.phone_rings()
    await stage.agent_answers()
    return await heard.until(CallAnswered)


class SwitchContract:
    """The suite."""

    async def test_plain_call_is_told_from_arrival_to_end(self, stage: Stage) -> None:
        async with listening(stage.switch) as heard:
            talk = await answered(stage, heard)
            await stage.citizen_hangs_up()
            ended = await heard.until(CallEnded)
        assert heard.of_calls() == [
            "CallArrived",
            "CallQueued",
            "AgentRinging",
            "CallAnswered",
            "AgentLeft",
            "CallEnded",
        ]
        (arrived,), (queued,) = heard.all(CallArrived), heard.all(CallQueued)
        (ringing,) = heard.all(AgentRinging)
        assert arrived.caller_number == "13800000001"
        assert arrived.called_number == "12345"
        assert (queued.queue, queued.position) == ("hotline", 1)
        assert (ringing.agent, ringing.ring) == (AGENT, talk.ring)
        assert talk.agent == AGENT
        assert ended.outcome is Outcome.ANSWERED
        assert {arrived.call, queued.call, ringing.call, talk.call} == {ended.call}

    async def test_snapshot_is_the_picture_after_each_event(self, stage: Stage) -> None:
        async with listening(stage.switch) as heard:
            talk = await answered(stage, heard)
            await stage.citizen_hangs_up()
            ended = await heard.until(CallEnded)
        (ringing,) = heard.all(AgentRinging)
        rings = heard.snapshot_at(ringing).calls[ringing.call].rings
        assert [ring.agent for ring in rings] == [AGENT]
        known = heard.snapshot_at(talk).calls[talk.call]
        assert known.talk is not None
        assert known.talk.agent == AGENT
        assert known.rings == ()
        assert not heard.snapshot_at(ended).calls

    async def test_caller_who_gives_up_while_a_phone_rings(self, stage: Stage) -> None:
        async with listening(stage.switch) as heard:
            await stage.citizen_calls()
            await stage.phone_rings()
            await heard.until(AgentRinging)
            await stage.citizen_hangs_up()
            ended = await heard.until(CallEnded)
        assert ended.outcome is Outcome.ABANDONED
        assert [each.reason for each in heard.all(AgentRingEnded)] == [RingEnd.CALLER_LEFT]

    async def test_nobody_listens_to_or_takes_over_what_is_no_talk(self, stage: Stage) -> None:
        async with listening(stage.switch) as heard:
            await stage.citizen_calls()
            arrived = await heard.until(CallArrived)
            with pytest.raises(CallGone):
                await stage.switch.spy(arrived.call, "1900", "act-1", "listen")
            with pytest.raises(CallGone):
                await stage.switch.take_over(arrived.call, "1900", "act-1")
            assert await stage.switch.live_acts() == {}
            await stage.citizen_hangs_up()
            await heard.until(CallEnded)

    async def test_agent_who_declines(self, stage: Stage) -> None:
        async with listening(stage.switch) as heard:
            await stage.citizen_calls()
            await stage.phone_rings()
            await heard.until(AgentRinging)
            await stage.agent_declines()
            ended = await heard.until(AgentRingEnded)
            await stage.citizen_hangs_up()
            await heard.until(CallEnded)
        assert ended.reason is RingEnd.DECLINED

    async def test_agent_who_hangs_up_has_left(self, stage: Stage) -> None:
        async with listening(stage.switch) as heard:
            talk = await answered(stage, heard)
            await stage.agent_hangs_up()
            left = await heard.until(AgentLeft)
            await stage.citizen_hangs_up()
            await heard.until(CallEnded)
        assert (left.call, left.agent) == (talk.call, AGENT)

    async def test_both_sides_are_forked_and_heard(self, stage: Stage) -> None:
        streams = [StreamId(str(uuid.uuid4())) for _ in range(2)]
        async with listening(stage.switch) as heard:
            talk = await answered(stage, heard)
            await stage.fork(talk.call, "citizen", streams[0])
            await stage.fork(talk.call, "agent", streams[1])
            for stream in streams:
                await stage.speech_hears(stream)
            standing = await stage.switch.live_forks()
            await stage.citizen_hangs_up()
            await heard.until(CallEnded)
        assert heard.of_calls().count("CallArrived") == 1
        assert {(each.stream, each.call, each.speaker) for each in standing} == {
            (streams[0], talk.call, "citizen"),
            (streams[1], talk.call, "agent"),
        }

    async def test_forks_of_an_ended_call_no_longer_stand(self, stage: Stage) -> None:
        async with listening(stage.switch) as heard:
            talk = await answered(stage, heard)
            await stage.fork(talk.call, "citizen", StreamId(str(uuid.uuid4())))
            assert len(await stage.switch.live_forks()) == 1
            await stage.citizen_hangs_up()
            await heard.until(CallEnded)
            async with asyncio.timeout(5):
                while await stage.switch.live_forks():  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.05)

    async def test_a_fork_can_be_ended_and_the_call_goes_on(self, stage: Stage) -> None:
        streams = [StreamId(str(uuid.uuid4())) for _ in range(2)]
        async with listening(stage.switch) as heard:
            talk = await answered(stage, heard)
            for stream in streams:
                await stage.fork(talk.call, "citizen", stream)
            await stage.switch.end_fork(streams[0])
            async with asyncio.timeout(5):
                while len(await stage.switch.live_forks()) > 1:  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.05)
            assert [fork.stream for fork in await stage.switch.live_forks()] == [streams[1]]
            await stage.switch.end_fork(streams[0])  # gone already: no error
            assert not heard.all(CallEnded)
            await stage.citizen_hangs_up()
            await heard.until(CallEnded)

    async def test_fork_of_a_side_that_is_not_there_is_refused(self, stage: Stage) -> None:
        stream = StreamId(str(uuid.uuid4()))
        async with listening(stage.switch) as heard:
            with pytest.raises(CallGone):
                await stage.fork(CallId("gone-1.1"), "citizen", stream)
            await stage.citizen_calls()
            arrived = await heard.until(CallArrived)
            with pytest.raises(CallGone):
                await stage.fork(arrived.call, "agent", stream)
            await stage.citizen_hangs_up()
            await heard.until(CallEnded)

    async def test_pause_and_unpause_are_told_with_their_reason(self, stage: Stage) -> None:
        paused, ready = (AGENT, True, "小休"), (AGENT, False, "")
        async with listening(stage.switch) as heard:

            def told() -> list[tuple[AgentId, bool, str]]:
                changes = heard.all(AgentPauseChanged)
                return [(each.agent, each.is_paused, each.reason) for each in changes]

            await stage.switch.pause(AGENT, "小休")
            await until(lambda: paused in told())
            assert stage.switch.snapshot().agents[AGENT].is_paused
            await stage.switch.pause(AGENT, "小休")
            await stage.switch.unpause(AGENT)
            await until(lambda: told()[-1] == ready)
        # An unpause before our first pause may be the end of an earlier test.
        assert told()[told().index(paused) :] == [paused, ready]

    async def test_pausing_nobody_is_refused(self, stage: Stage) -> None:
        async with listening(stage.switch):
            with pytest.raises(TelephonyError):
                await stage.switch.pause(AgentId("9999"), "小休")

    async def test_hangup_ends_the_call_and_a_second_one_is_refused(self, stage: Stage) -> None:
        async with listening(stage.switch) as heard:
            talk = await answered(stage, heard)
            await stage.switch.hangup(talk.call)
            await heard.until(CallEnded)
            with pytest.raises(CallGone):
                await stage.switch.hangup(talk.call)

    async def test_hold_and_resume_are_done_and_told(self, stage: Stage) -> None:
        async with listening(stage.switch) as heard:
            talk = await answered(stage, heard)
            await stage.switch.control.hold(talk.call)
            held = await heard.until(LegHeld)
            assert (held.call, held.speaker) == (talk.call, "agent")
            with pytest.raises(NotDone):
                await stage.switch.control.hold(talk.call)
            await stage.switch.control.resume(talk.call)
            with pytest.raises(NotDone):
                await stage.switch.control.resume(talk.call)
            await heard.until(LegResumed)
            assert not heard.all(AgentLeft)
            await stage.citizen_hangs_up()
            await heard.until(CallEnded)
        assert len(heard.all(LegHeld)) == len(heard.all(LegResumed)) == 1

    async def test_asking_somebody_can_be_called_off(self, stage: Stage) -> None:
        async with listening(stage.switch) as heard:
            talk = await answered(stage, heard)
            await stage.switch.control.consult(talk.call, ASKED)
            await stage.asked_answers()
            await until(lambda: heard.consults() == ["dialling", "answered"])
            await stage.switch.control.resume(talk.call)
            await until(lambda: heard.consults()[-1] == "over")
            assert {each.to for each in heard.all(ConsultChanged)} == {ASKED}
            await heard.until(LegResumed)
            assert len(heard.all(LegResumed)) == 1
            assert not heard.all(AgentLeft)
            await stage.citizen_hangs_up()
            await heard.until(CallEnded)

    async def test_who_was_asked_and_hangs_up_gives_the_caller_back(self, stage: Stage) -> None:
        async with listening(stage.switch) as heard:
            talk = await answered(stage, heard)
            await stage.switch.control.consult(talk.call, ASKED)
            await stage.asked_answers()
            await until(lambda: "answered" in heard.consults())
            await stage.asked_hangs_up()
            await until(lambda: heard.consults()[-1] == "over")
            await heard.until(LegResumed)
            assert not heard.all(AgentLeft)
            await stage.citizen_hangs_up()
            await heard.until(CallEnded)

    async def test_three_hear_one_another_and_the_agent_may_leave(self, stage: Stage) -> None:
        async with listening(stage.switch) as heard:
            talk = await answered(stage, heard)
            await stage.switch.control.consult(talk.call, ASKED)
            await stage.asked_answers()
            await until(lambda: "answered" in heard.consults())
            await stage.switch.control.three_way(talk.call)
            await until(lambda: heard.consults() == ["dialling", "answered", "joined"])
            await heard.until(LegResumed)
            assert not heard.all(AgentLeft)
            await stage.switch.control.let_go(talk.call)
            left = await heard.until(AgentLeft)
            assert left.agent == AGENT
            assert not heard.all(CallEnded)
            await stage.caller_and_asked_talk()
            await stage.citizen_hangs_up()
            await heard.until(CallEnded)

    async def test_a_caller_is_handed_over_to_whom_was_asked(self, stage: Stage) -> None:
        async with listening(stage.switch) as heard:
            talk = await answered(stage, heard)
            await stage.switch.control.consult(talk.call, ASKED)
            await stage.asked_answers()
            await until(lambda: "answered" in heard.consults())
            await stage.switch.control.hand_over(talk.call)
            await heard.until(AgentLeft)
            await stage.caller_and_asked_talk()
            await stage.citizen_hangs_up()
            await heard.until(CallEnded)

    async def test_a_caller_is_sent_on_without_asking(self, stage: Stage) -> None:
        async with listening(stage.switch) as heard:
            talk = await answered(stage, heard)
            await stage.switch.control.send_on(talk.call, ASKED)
            await heard.until(AgentLeft)
            await stage.asked_gets_the_caller()
            await stage.citizen_hangs_up()
            await heard.until(CallEnded)

    async def test_what_cannot_be_done_in_a_call_is_refused(self, stage: Stage) -> None:
        async with listening(stage.switch) as heard:
            with pytest.raises(CallGone):
                await stage.switch.control.hold(CallId("gone-1.1"))
            talk = await answered(stage, heard)
            with pytest.raises(NotDone):
                await stage.switch.control.three_way(talk.call)
            assert not heard.all(AgentLeft)
            await stage.citizen_hangs_up()
            await heard.until(CallEnded)

    async def test_recording_is_paused_and_goes_on(self, stage: Stage) -> None:
        async with listening(stage.switch) as heard:
            talk = await answered(stage, heard)
            await stage.switch.control.pause_recording(talk.call, is_paused=True)
            await stage.switch.control.pause_recording(talk.call, is_paused=False)
            await until(lambda: len(heard.all(RecordingChanged)) == 2)
            await stage.citizen_hangs_up()
            await heard.until(CallEnded)
        assert [each.is_paused for each in heard.all(RecordingChanged)] == [True, False]

    async def test_what_happened_while_the_link_was_down_is_told_before_it_is_up(
        self, stage: Stage
    ) -> None:
        async with listening(stage.switch) as heard:
            await stage.citizen_calls()
            await stage.phone_rings()
            await heard.until(AgentRinging)
            await stage.lose_link()
            await until(lambda: not heard.all(LinkChanged)[-1].is_up)
            with pytest.raises(TelephonyError):
                await stage.switch.unpause(AGENT)
            await stage.agent_answers()
            await stage.regain_link()
            await until(lambda: heard.all(LinkChanged)[-1].is_up, timeout_s=20)
            assert heard.of_calls()[-1] == "CallAnswered"
            await stage.lose_link()
            await until(lambda: not heard.all(LinkChanged)[-1].is_up)
            await stage.citizen_hangs_up()
            await stage.regain_link()
            await until(lambda: heard.all(LinkChanged)[-1].is_up, timeout_s=20)
            assert heard.of_calls()[-2:] == ["AgentLeft", "CallEnded"]
        assert heard.of_calls().count("CallArrived") == 1
        assert heard.of_calls().count("AgentRinging") == 1

    async def test_close_ends_the_events_and_refuses_requests(self, stage: Stage) -> None:
        async with listening(stage.switch) as heard:
            stage.switch.close()
            await until(lambda: heard.has_ended)
            with pytest.raises(TelephonyError):
                await stage.switch.pause(AGENT, "小休")
