"""The audit on real calls: it sees nothing where nothing was lost, and mends what was."""

from datetime import UTC, datetime, timedelta

import pytest

from telephony.events import CallAnswered, CallEnded, Outcome
from telephony.past_calls import PastCall, calls_between
from telephony.phone import answer_after
from telephony.switch import AsteriskSwitch
from telephony.wire import Message
from tests.asterisk.people import People
from tests.asterisk.switch import Switch as PrivateAsterisk
from tests.asterisk.switch import until
from tests.contract.switch_contract import listening


@pytest.fixture
def switch(asterisk: PrivateAsterisk) -> AsteriskSwitch:
    return AsteriskSwitch(
        host="127.0.0.1",
        port=asterisk.ami_port,
        username="hotline",
        secret=asterisk.secret,
        audit_every_s=0.1,
        second_look_s=1.0,
    )


async def test_audits_in_the_middle_of_calls_find_no_drift(
    switch: AsteriskSwitch, people: People, asterisk: PrivateAsterisk
) -> None:
    began_at = datetime.now(UTC)
    agent, citizen = await people.agent("1001"), await people.citizen()
    agent.on_ring(answer_after(0.5))
    async with listening(switch) as heard:
        call = await citizen.call("12345")
        await heard.until(CallAnswered)
        seen = switch.audits
        await until(lambda: switch.audits > seen + 3, why="audits while they talk")
        await call.hangup()
        ended = await heard.until(CallEnded)
        await until(lambda: switch.journeys, why="the journey is over")
        seen = switch.audits
        await until(lambda: switch.audits > seen + 3, why="audits after the call")
    assert not switch.drift
    journey = switch.journeys[-1]
    assert (journey.id, journey.outcome.value) == (ended.call, "answered")
    assert (journey.caller, journey.called, journey.agent) == ("13800000001", "12345", "1001")
    # Asterisk's own books tell the same call to a process that was not there.

    def past() -> list[PastCall]:
        now = datetime.now(UTC) + timedelta(seconds=1)
        told = calls_between(asterisk.config.log_dir, began_at, now)
        return [each for each in told if each.call == ended.call]

    await until(past, why="Asterisk writes its books a moment after the end")
    (found,) = past()
    assert (found.outcome, found.agent, found.queue) == (Outcome.ANSWERED, "1001", "hotline")
    assert (found.caller_number, found.called_number) == ("13800000001", "12345")
    assert found.ended_at is not None
    assert abs(found.ended_at - ended.at) < timedelta(seconds=0.1)


async def test_lost_end_of_a_call_is_noticed_and_mended(
    switch: AsteriskSwitch, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = {"Hangup", "HangupRequest", "BridgeLeave", "AgentComplete", "QueueCallerLeave"}
    put = switch.client.inbox.put

    def lossy(message: Message) -> bool:
        return message.name in lost or put(message)

    citizen = await people.citizen()
    async with listening(switch) as heard:
        call = await citizen.call("12345")
        await until(lambda: switch.snapshot().calls, timeout_s=5, why="the call has come")
        monkeypatch.setattr(switch.client.inbox, "put", lossy)
        await call.hangup()
        await heard.until(CallEnded)
        assert not switch.snapshot().calls
    assert switch.drift["CallEnded"] == 1
