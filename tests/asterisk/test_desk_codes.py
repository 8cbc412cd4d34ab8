"""What an agent's phone does by codes and keys, with the product dead, or dead in the middle."""

import pytest

from base.ids import AgentId
from telephony.events import CallAnswered, CallEnded, LegHeld
from telephony.phone import CallState, Phone, PhoneCall, answer_after, ignore, reject_with
from telephony.switch import AsteriskSwitch
from tests.asterisk.manager import BareManager
from tests.asterisk.people import AGENT_HZ, CITIZEN_HZ, People, voice
from tests.asterisk.switch import PROMPT_HZ, Switch, until, until_heard
from tests.contract.switch_contract import listening

ASKED_HZ = 3000.0


class Talk:
    """A citizen in conversation with agent 1001; colleague 1002 is there and rung by nobody."""

    def __init__(self, citizen: PhoneCall, agent: PhoneCall, colleague: Phone) -> None:
        self.citizen, self.agent, self.colleague = citizen, agent, colleague
        self.channel = ""


@pytest.fixture
async def talk(people: People, manager: BareManager) -> Talk:
    agent = await people.agent("1001")
    await people.pause("1002")
    colleague = await people.agent("1002")
    call = await (await people.citizen()).call("12345", play=voice(CITIZEN_HZ))
    taken = await agent.until_ringing(10)
    await taken.answer()
    taken.play(voice(AGENT_HZ))
    made = Talk(call, taken, colleague)
    connected = await manager.until("AgentConnect")
    made.channel = connected["DestUniqueid"]
    return made


def press(call: PhoneCall, keys: str) -> None:
    for key in keys:
        call.send_digit(key)


async def members(asterisk: Switch) -> str:
    return await asterisk.ask("queue show hotline")


async def test_a_phone_code_frees_a_paused_agent_with_the_product_dead(
    asterisk: Switch, people: People
) -> None:
    await people.pause("1001")
    agent = await people.agent("1001")
    code = await agent.call("*51")
    await code.until_ended(5)
    agent.on_ring(answer_after(0.1))
    call = await (await people.citizen()).call("12345", play=voice(CITIZEN_HZ))
    await until(lambda: agent.calls, timeout_s=10, why="the phone rings")
    await call.hangup()
    code = await agent.call("*50")
    await code.until_ended(5)
    assert "(paused:phone" in next(
        line for line in (await members(asterisk)).splitlines() if "1001" in line
    )


async def test_hanging_up_while_holding_leaves_the_caller_first_in_the_queue(
    talk: Talk, manager: BareManager
) -> None:
    await manager.action("Atxfer", Channel=talk.channel, Exten="*71", Context="from-agent")
    await manager.until("LocalBridge")
    await talk.agent.hangup()
    await until(
        lambda: len(manager.named("QueueCallerJoin")) == 2, timeout_s=10, why="back in the queue"
    )
    assert talk.citizen.state is CallState.UP
    await talk.citizen.hangup()


@pytest.mark.parametrize(
    ("keys", "sign"), [("*1", "Unhold"), ("*2", "AgentComplete"), ("*3", "AttendedTransfer")]
)
async def test_the_phones_keys_end_what_the_page_began(
    talk: Talk, manager: BareManager, keys: str, sign: str
) -> None:
    talk.colleague.on_ring(answer_after(0.1, play=voice(ASKED_HZ)))
    await manager.action("Setvar", Channel=talk.channel, Variable="__HOTLINE_TARGET", Value="1002")
    await manager.action("Atxfer", Channel=talk.channel, Exten="*70", Context="from-agent")
    await until_heard(talk.agent, ASKED_HZ)
    press(talk.agent, keys)
    await manager.until(sign)
    if keys != "*1":
        await until_heard(talk.citizen, ASKED_HZ)
    await talk.citizen.hangup()


async def test_a_caller_sent_on_to_nobody_comes_back_first(
    talk: Talk, manager: BareManager
) -> None:
    talk.colleague.on_ring(ignore())
    caller = (await manager.until("QueueCallerJoin"))["Uniqueid"]
    await manager.action("Setvar", Channel=caller, Variable="HOTLINE_TARGET", Value="1002")
    await manager.action("BlindTransfer", Channel=talk.channel, Exten="*72", Context="from-agent")
    await until_heard(talk.citizen, PROMPT_HZ["hotline/sent-back"], timeout_s=10)
    await until(lambda: len(manager.named("QueueCallerJoin")) == 2, timeout_s=10)
    await talk.citizen.hangup()


@pytest.mark.parametrize("by", ["keys", "refer"])
@pytest.mark.parametrize("colleague", ["silent", "declines", "gone"])
async def test_a_caller_sent_on_by_the_phone_itself_comes_back_if_nobody_takes_the_call(
    talk: Talk, manager: BareManager, by: str, colleague: str
) -> None:
    talk.colleague.on_ring(reject_with(603) if colleague == "declines" else ignore())
    to = "1003" if colleague == "gone" else "1002"
    if by == "refer":
        assert await talk.agent.refer(to) == 202
    else:
        press(talk.agent, "##")
        await until_heard(talk.agent, 300.0)
        press(talk.agent, to)
    await until(lambda: len(manager.named("QueueCallerJoin")) == 2, timeout_s=10)
    assert talk.citizen.state is CallState.UP
    await talk.citizen.hangup()


async def test_a_caller_whom_nobody_outside_takes_comes_back(
    talk: Talk, manager: BareManager, people: People
) -> None:
    (await people.outside()).on_ring(reject_with(603))
    assert await talk.agent.refer("13900000055") == 202
    await until(lambda: len(manager.named("QueueCallerJoin")) == 2, timeout_s=10)
    await talk.citizen.hangup()


async def test_110_is_told_the_callers_own_number_after_nobody_outside_took_the_caller(
    people: People, manager: BareManager
) -> None:
    (await people.outside()).on_ring(reject_with(603))
    exchange = await people.exchange()
    agent = await people.agent("1001")
    agent.on_ring(answer_after(0))
    citizen = await people.citizen("13800000062", name="王小明")
    call = await citizen.call("12345", play=voice(CITIZEN_HZ))
    channel = (await manager.until("AgentConnect"))["DestUniqueid"]
    caller = (await manager.until("QueueCallerJoin"))["Uniqueid"]
    await manager.action("Setvar", Channel=caller, Variable="HOTLINE_TARGET", Value="13900000055")
    agent.on_ring(ignore())
    await manager.action("BlindTransfer", Channel=channel, Exten="*72", Context="from-agent")
    await until(lambda: len(manager.named("QueueCallerJoin")) == 2, timeout_s=10)
    press(call, "9")
    await until_heard(call, PROMPT_HZ["hotline/emergency-menu"])
    press(call, "1")
    line = await exchange.until_ringing(10)
    assert (line.number, line.name) == ("13800000062", "王小明")
    await call.hangup()


async def test_a_process_that_starts_while_the_agent_asks_knows_whose_call_it_is(
    talk: Talk, manager: BareManager, asterisk: Switch
) -> None:
    talk.colleague.on_ring(answer_after(0.1, play=voice(ASKED_HZ)))
    await manager.action("Setvar", Channel=talk.channel, Variable="__HOTLINE_TARGET", Value="1002")
    await manager.action("Atxfer", Channel=talk.channel, Exten="*70", Context="from-agent")
    await manager.until("ConsultAnswered")
    switch = AsteriskSwitch(
        host="127.0.0.1",
        port=asterisk.ami_port,
        username="hotline",
        secret=asterisk.secret,
        audit_every_s=0.2,
        second_look_s=1.0,
    )
    async with listening(switch) as heard:
        (answered,) = heard.all(CallAnswered)
        assert answered.agent == AgentId("1001")
        assert [each.speaker for each in heard.all(LegHeld)] == ["agent"]
        seen = switch.audits
        await until(lambda: switch.audits > seen + 3, why="audits")
        assert heard.of_calls() == ["CallArrived", "CallAnswered", "LegHeld"]
        await switch.control.resume(answered.call)
        known = switch.snapshot().calls[answered.call].talk
        assert known is not None
        assert not known.held
        await talk.citizen.hangup()
        await heard.until(CallEnded)
