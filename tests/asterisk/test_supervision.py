"""A leader's phone in a conversation: who hears whom, and a caller who is never alone."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from base.ids import CallId
from telephony.config import MANAGER_USER
from telephony.events import AgentLeft, CallAnswered
from telephony.failures import CallGone
from telephony.phone import CallState, Phone, PhoneCall
from telephony.switch import AsteriskSwitch
from tests.asterisk.people import AGENT_HZ, CITIZEN_HZ, LINE_HZ, Admission, People, voice
from tests.asterisk.switch import LEADER, Switch, hears, until, until_heard
from tests.contract.switch_contract import Heard, listening

ACT = "act-1"


@dataclass
class Talk:
    """A citizen and agent 1001 who talk, and a leader with a phone."""

    switch: AsteriskSwitch
    heard: Heard
    call: CallId
    citizen: PhoneCall
    agent: PhoneCall
    leader: Phone

    async def leader_answers(self, play: float = LINE_HZ) -> PhoneCall:
        ringing = await self.leader.until_ringing(5)
        await ringing.answer()
        ringing.play(voice(play))
        return ringing


@pytest.fixture
async def talk(asterisk: Switch, people: People, admission: Admission) -> AsyncIterator[Talk]:
    switch = AsteriskSwitch(
        host="127.0.0.1", port=asterisk.ami_port, username=MANAGER_USER, secret=asterisk.secret
    )
    async with listening(switch) as heard:
        agent = await people.agent("1001")
        citizen = await (await people.citizen()).call("12345", play=voice(CITIZEN_HZ))
        at_desk = await agent.until_ringing(10)
        await at_desk.answer()
        at_desk.play(voice(AGENT_HZ))
        answered = await heard.until(CallAnswered)
        leader = await people.agent(LEADER)
        yield Talk(switch, heard, answered.call, citizen, at_desk, leader)
        for call in (citizen, at_desk):
            if call.state is not CallState.ENDED:
                await call.hangup()


async def test_who_listens_hears_both_and_is_heard_by_nobody(talk: Talk) -> None:
    await talk.switch.spy(talk.call, LEADER, ACT, "listen")
    leader = await talk.leader_answers()
    await until_heard(leader, CITIZEN_HZ)
    await until_heard(leader, AGENT_HZ)
    assert await talk.switch.live_acts() == {ACT: True}
    assert not hears(talk.agent.heard_pcm, LINE_HZ)
    assert not hears(talk.citizen.heard_pcm, LINE_HZ)
    # The leader's phone ends with the conversation, and is no call of its own.
    await talk.citizen.hangup()
    await leader.until_ended(5)
    async with asyncio.timeout(5):
        while await talk.switch.live_acts():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.05)
    assert talk.heard.of_calls().count("CallArrived") == 1


async def test_only_the_agent_hears_a_whisper_and_both_hear_who_joins(talk: Talk) -> None:
    await talk.switch.spy(talk.call, LEADER, ACT, "whisper")
    leader = await talk.leader_answers()
    await until_heard(talk.agent, LINE_HZ)
    assert not hears(talk.citizen.heard_pcm, LINE_HZ)
    await leader.hangup()
    await talk.switch.spy(talk.call, LEADER, "act-2", "join")
    joined = await talk.leader_answers()
    await until_heard(talk.citizen, LINE_HZ)
    await joined.hangup()
    await until(lambda: talk.agent.state is not CallState.ENDED, why="the conversation goes on")


async def test_a_caller_who_is_taken_over_is_never_alone(talk: Talk) -> None:
    await talk.switch.take_over(talk.call, LEADER, ACT)
    ringing = await talk.leader.until_ringing(5)
    # While the leader's phone rings, the conversation goes on.
    before = len(talk.citizen.heard_pcm)
    await until(lambda: len(talk.citizen.heard_pcm) > before + 4000, why="half a second more")
    assert hears(talk.citizen.heard_pcm[before:], AGENT_HZ)
    await ringing.answer()
    ringing.play(voice(LINE_HZ))
    await until_heard(talk.citizen, LINE_HZ)
    await until_heard(ringing, CITIZEN_HZ)
    left = await talk.heard.until(AgentLeft)
    assert left.call == talk.call
    await talk.agent.until_ended(5)
    assert talk.citizen.state is not CallState.ENDED
    await talk.citizen.hangup()
    await ringing.until_ended(5)


async def test_a_leader_who_does_not_answer_changes_nothing(talk: Talk) -> None:
    await talk.switch.take_over(talk.call, LEADER, ACT)
    ringing = await talk.leader.until_ringing(5)
    ringing.reject(486)
    await ringing.until_ended(5)
    assert talk.citizen.state is not CallState.ENDED
    assert talk.agent.state is not CallState.ENDED
    with pytest.raises(CallGone):
        await talk.switch.spy(CallId("gone-1.1"), LEADER, ACT, "listen")
