"""Calls out over the carrier: the centre's number shown, recorded, their course provable."""

import uuid
from collections.abc import AsyncIterator

import pytest

from base.ids import AgentId, AttemptId
from telephony.events import AttemptAnswered, AttemptBegan, AttemptOver, AttemptResult
from telephony.failures import NotDone
from telephony.phone import answer_after, ignore, reject_with
from telephony.switch import AsteriskSwitch
from tests.asterisk.people import AGENT_HZ, CITIZEN_HZ, People, voice
from tests.asterisk.switch import Switch, until, until_heard
from tests.contract.switch_contract import Heard, listening

AGENT, NUMBER = AgentId("1001"), "13900000001"


@pytest.fixture
async def switch(asterisk: Switch) -> AsteriskSwitch:
    return AsteriskSwitch(
        host="127.0.0.1", port=asterisk.ami_port, username="hotline", secret=asterisk.secret
    )


@pytest.fixture
async def heard(switch: AsteriskSwitch) -> AsyncIterator[Heard]:
    async with listening(switch) as told:
        yield told


@pytest.mark.requirement("R055")
async def test_the_product_dials_for_the_agent_and_proves_it(
    asterisk: Switch, people: People, switch: AsteriskSwitch, heard: Heard
) -> None:
    agent, outside = await people.agent(AGENT), await people.outside()
    agent.on_ring(answer_after(0.1, play=voice(AGENT_HZ)))
    outside.on_ring(answer_after(1.2, play=voice(CITIZEN_HZ)))
    attempt = AttemptId(uuid.uuid4().hex)
    await switch.control.dial(AGENT, attempt, NUMBER)
    began = await heard.until(AttemptBegan)
    assert (began.attempt, began.agent, began.number) == (attempt, AGENT, NUMBER)
    assert (await heard.until(AttemptAnswered)).attempt == attempt
    (call,) = outside.calls
    assert (call.number, call.dialled) == ("12345", NUMBER)
    await until_heard(call, AGENT_HZ)
    await until_heard(agent.calls[0], CITIZEN_HZ)
    late = AsteriskSwitch(
        host="127.0.0.1", port=asterisk.ami_port, username="hotline", secret=asterisk.secret
    )
    async with listening(late):
        known = late.snapshot().attempts[attempt]
        assert (known.agent, known.number, known.is_answered) == (AGENT, NUMBER, True)
    await call.hangup()
    over = await heard.until(AttemptOver)
    assert (over.attempt, over.result) == (attempt, AttemptResult.ANSWERED)
    assert over.rang_s is not None
    assert 0.8 < over.rang_s < 4
    assert not switch.snapshot().attempts
    raw = asterisk.config.recordings_dir / f"attempt-{attempt}.raw"
    await until(lambda: raw.stat().st_size > 8_000, why="the recording")
    assert not heard.of_calls()  # it is nobody's call to us


async def test_a_service_number_of_five_digits_is_dialled_and_our_own_leads_nowhere(
    people: People, switch: AsteriskSwitch, heard: Heard
) -> None:
    agent, outside = await people.agent(AGENT), await people.outside()
    agent.on_ring(answer_after(0.1))
    outside.on_ring(answer_after(0.1))
    await switch.control.dial(AGENT, AttemptId("service"), "95598")
    await heard.until(AttemptAnswered)
    assert outside.calls[0].dialled == "95598"
    await outside.calls[0].hangup()
    await heard.until(AttemptOver)
    await until(lambda: not agent.calls)
    await switch.control.dial(AGENT, AttemptId("ours"), "12345")
    await until(lambda: not agent.calls)
    assert [each.attempt for each in heard.all(AttemptBegan)] == ["service"]


async def test_an_agents_own_phone_dials_out_in_the_same_way(
    asterisk: Switch, people: People, heard: Heard
) -> None:
    agent, outside = await people.agent(AGENT), await people.outside()
    outside.on_ring(answer_after(0.2))
    call = await agent.call(NUMBER)
    began = await heard.until(AttemptBegan)
    assert (began.agent, began.number) == (AGENT, NUMBER)
    await heard.until(AttemptAnswered)
    assert outside.calls[0].number == "12345"
    await call.hangup()
    over = await heard.until(AttemptOver)
    assert (over.attempt, over.result) == (began.attempt, AttemptResult.ANSWERED)
    raw = asterisk.config.recordings_dir / f"attempt-{began.attempt}.raw"
    await until(raw.exists, why="the recording")


async def test_busy_and_silent_numbers_and_an_absent_agent_are_told_apart(
    people: People, switch: AsteriskSwitch, heard: Heard
) -> None:
    with pytest.raises(NotDone):  # no phone is registered
        await switch.control.dial(AGENT, AttemptId("absent"), NUMBER)
    assert not heard.all(AttemptBegan)
    agent, outside = await people.agent(AGENT), await people.outside()
    agent.on_ring(answer_after(0.1))
    outside.on_ring(reject_with(486))
    await switch.control.dial(AGENT, AttemptId("busy"), NUMBER)
    await until(lambda: len(heard.all(AttemptOver)) == 1, timeout_s=10)
    outside.on_ring(ignore())
    await until(lambda: not agent.calls)
    call = await agent.call(NUMBER)
    await until(lambda: len(heard.all(AttemptBegan)) == 2, timeout_s=10)
    await call.hangup()
    await until(lambda: len(heard.all(AttemptOver)) == 2, timeout_s=10)
    results = [each.result for each in heard.all(AttemptOver)]
    assert results == [AttemptResult.BUSY, AttemptResult.CANCELLED]
