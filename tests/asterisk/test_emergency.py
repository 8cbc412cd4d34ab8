"""110, 119, 120 and 122 are reached by key and by number, with every process of ours dead.

No test here asks for the ``admission`` fixture unless it says so: nothing of the product runs.
"""

import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from telephony import process
from telephony.phone import Phone, PhoneCall, answer_after, reject_with
from telephony.tree import AsteriskTree
from tests.asterisk.manager import BareManager, seconds_between
from tests.asterisk.people import AGENT_HZ, CITIZEN_HZ, LINE_HZ, Admission, People, voice
from tests.asterisk.switch import PROMPT_HZ, Switch, hears, start_switch, until, until_heard

LINES = ("110", "119", "120", "122")
KEY = "9"
GIVEN_UP = "13800000099"
"""This citizen's call was given up before the exchange said a word; Asterisk may not withdraw such
an INVITE and repeats it for 32 s, into the tests that follow."""


async def both_ways(call: PhoneCall, line: PhoneCall) -> None:
    call.play(voice(CITIZEN_HZ))
    line.play(voice(LINE_HZ))
    await until_heard(call, LINE_HZ)
    await until_heard(line, CITIZEN_HZ)


async def reached(exchange: Phone, line: str) -> PhoneCall:
    """The call as it comes in at the exchange; it must ask for that very line."""
    while True:
        call = await exchange.until_ringing(8)
        if call.number != GIVEN_UP:
            assert call.dialled == line
            return call


@pytest.mark.parametrize("line", LINES)
async def test_citizen_dials_the_line_directly(people: People, line: str) -> None:
    exchange = await people.exchange()
    exchange.on_ring(answer_after(0.1))
    citizen = await people.citizen()
    call = await citizen.call(line)
    put_through = await reached(exchange, line)
    assert put_through.number == "13800000001"
    await call.until_answered(5)
    await both_ways(call, put_through)
    await call.hangup()
    await put_through.until_ended(5)


@pytest.mark.parametrize("line", LINES)
async def test_agent_phone_dials_the_line_directly(people: People, line: str) -> None:
    exchange = await people.exchange()
    exchange.on_ring(answer_after(0))
    agent = await people.agent("1001")
    call = await agent.call(line)
    put_through = await reached(exchange, line)
    await call.until_answered(5)
    await both_ways(call, put_through)
    await put_through.hangup()
    await call.until_ended(5)


@pytest.mark.parametrize(("choice", "line"), list(zip("1234", LINES, strict=True)))
async def test_key_during_the_greeting_reaches_the_chosen_line(
    people: People, manager: BareManager, choice: str, line: str
) -> None:
    exchange = await people.exchange()
    exchange.on_ring(answer_after(0))
    citizen = await people.citizen()
    call = await citizen.call("12345")
    await until_heard(call, PROMPT_HZ["hotline/greeting"])
    call.send_digit(KEY)
    await until_heard(call, PROMPT_HZ["hotline/emergency-menu"])
    call.send_digit(choice)
    put_through = await reached(exchange, line)
    await both_ways(call, put_through)
    dialled = await manager.until("EmergencyDialled")
    assert (dialled["Line"], dialled["Source"]) == (line, "greeting")
    connected = await manager.until("EmergencyConnected")
    assert (connected["Line"], connected["Call"]) == (line, dialled["Call"])
    assert dialled["Call"] == (await manager.until("CallArrived"))["Call"]
    await call.hangup()
    await put_through.until_ended(5)


async def test_key_while_waiting_reaches_the_chosen_line(
    people: People, manager: BareManager
) -> None:
    exchange = await people.exchange()
    exchange.on_ring(answer_after(0))
    citizen = await people.citizen()
    call = await citizen.call("12345")
    await manager.until("QueueCallerJoin")
    call.send_digit(KEY)
    await until_heard(call, PROMPT_HZ["hotline/emergency-menu"])
    call.send_digit("3")
    put_through = await reached(exchange, "120")
    await both_ways(call, put_through)
    assert (await manager.until("EmergencyDialled"))["Source"] == "waiting"
    await put_through.hangup()
    await call.until_ended(5)


async def test_key_works_while_a_caller_is_told_something_by_order_of_admission(
    people: People, admission: Admission
) -> None:
    """A throttled or suspended caller's way begins with such words."""
    admission.text = "queue=hotline&priority=0&prompt=busy"
    exchange = await people.exchange()
    exchange.on_ring(answer_after(0))
    citizen = await people.citizen()
    call = await citizen.call("12345")
    await until_heard(call, PROMPT_HZ["hotline/busy"])
    call.send_digit(KEY)
    await until_heard(call, PROMPT_HZ["hotline/emergency-menu"])
    call.send_digit("1")
    await both_ways(call, await reached(exchange, "110"))
    await call.hangup()


async def test_key_works_while_a_caller_is_told_of_the_return_call(
    people: People, manager: BareManager
) -> None:
    call = await (await people.citizen("13800000043")).call("12345")
    await manager.until("QueueCallerJoin")
    call.send_digit("2")
    await manager.until("CallMarked", Kind="return_asked")
    call.send_digit(KEY)
    await until_heard(call, PROMPT_HZ["hotline/emergency-menu"], timeout_s=5)
    await call.hangup()


async def test_key_works_while_a_caller_is_thanked(people: People, manager: BareManager) -> None:
    agent = await people.agent("1001")
    agent.on_ring(answer_after(0))
    call = await (await people.citizen("13800000044")).call("12345")
    taken = await agent.until_ringing(8)
    await manager.until("AgentConnect")
    await taken.hangup()
    await until_heard(call, PROMPT_HZ["hotline/satisfaction"])
    call.send_digit("2")
    await manager.until("CallMarked", Kind="satisfaction")
    call.send_digit(KEY)
    await until_heard(call, PROMPT_HZ["hotline/emergency-menu"], timeout_s=5)
    await call.hangup()


async def test_key_while_an_agent_rings_reaches_the_line_and_the_agent_stops_ringing(
    people: People, admission: Admission
) -> None:
    exchange = await people.exchange()
    exchange.on_ring(answer_after(0))
    agent = await people.agent("1001")
    citizen = await people.citizen()
    call = await citizen.call("12345")
    ringing = await agent.until_ringing(8)
    call.send_digit(KEY)
    await ringing.until_ended(5)
    call.send_digit("2")
    put_through = await reached(exchange, "119")
    await both_ways(call, put_through)
    await call.hangup()


async def test_key_without_a_choice_goes_ahead_of_everybody_in_the_queue(
    people: People, manager: BareManager
) -> None:
    waiting = await (await people.citizen("13800000021")).call("12345")
    await until(lambda: len(manager.named("QueueCallerJoin")) == 1, why="the first waits")
    urgent = await (await people.citizen("13800000022")).call("12345")
    await until_heard(urgent, PROMPT_HZ["hotline/greeting"])
    urgent.send_digit(KEY)
    told = await manager.until("EmergencyUnspecified", timeout_s=8)
    await until(lambda: len(manager.named("QueueCallerJoin")) == 2, why="the second waits")
    assert manager.named("QueueCallerJoin")[1]["Position"] == "1"
    variable = "HOTLINE_EMERGENCY"
    channel = manager.named("QueueCallerJoin")[1]["Channel"]
    found = await manager.action("Getvar", Channel=channel, Variable=variable)
    assert (found["Value"], told["Call"]) == (
        "unspecified",
        manager.named("QueueCallerJoin")[1]["Uniqueid"],
    )
    agent = await people.agent("1001")
    agent.on_ring(answer_after(0, play=voice(AGENT_HZ)))
    await until_heard(urgent, AGENT_HZ)
    assert not hears(waiting.heard_pcm, AGENT_HZ)
    await urgent.hangup()
    await waiting.hangup()


@pytest.mark.parametrize("fault", ["refuses", "is silent", "is gone"])
async def test_caller_goes_to_an_agent_when_the_line_cannot_be_reached(
    people: People, manager: BareManager, fault: str
) -> None:
    if fault != "is gone":
        exchange = await people.exchange()
        if fault == "refuses":
            exchange.on_ring(reject_with(503))
    agent = await people.agent("1001")
    agent.on_ring(answer_after(0, play=voice(AGENT_HZ)))
    citizen = await people.citizen(GIVEN_UP)
    call = await citizen.call("110")
    await call.until_answered(20)  # each trunk is given three seconds
    await until_heard(call, PROMPT_HZ["hotline/emergency-unreachable"])
    await until_heard(call, AGENT_HZ)
    failed = await manager.until("EmergencyFailed")
    assert failed["Line"] == "110"
    arrived = await manager.until("CallArrived")
    assert (arrived["Call"], arrived["Called"]) == (failed["Call"], "110")
    await call.hangup()


@pytest.mark.parametrize("status", [486, 480, 503])
async def test_second_trunk_reaches_the_line_when_the_first_does_not(
    people: People, manager: BareManager, status: int
) -> None:
    first, second = await people.exchange(), await people.exchange(2)
    first.on_ring(reject_with(status))
    second.on_ring(answer_after(0))
    citizen = await people.citizen("13800000041", name="王小明")
    call = await citizen.call("120")
    put_through = await reached(second, "120")
    assert (put_through.number, put_through.name) == ("13800000041", "王小明")
    await call.until_answered(5)
    await both_ways(call, put_through)
    assert not manager.named("EmergencyFailed")
    await call.hangup()


async def test_number_and_name_go_along_and_anonymous_callers_are_put_through(
    people: People,
) -> None:
    exchange = await people.exchange()
    exchange.on_ring(answer_after(0))
    known = await (await people.citizen("13800000042", name="王小明")).call("110")
    put_through = await reached(exchange, "110")
    assert (put_through.number, put_through.name) == ("13800000042", "王小明")
    assert "sip:13800000042@" in put_through.asserted
    await known.hangup()
    unknown = await (await people.citizen("anonymous", name="Anonymous")).call("12345")
    await until_heard(unknown, PROMPT_HZ["hotline/greeting"])
    unknown.send_digit(KEY)
    await until_heard(unknown, PROMPT_HZ["hotline/emergency-menu"])
    unknown.send_digit("2")
    await both_ways(unknown, await reached(exchange, "119"))
    await unknown.hangup()


async def test_silent_first_trunk_costs_seconds_and_the_second_reaches_the_line(
    asterisk_tree: AsteriskTree,
) -> None:
    """With the time to ring of the real thing: what ends the wait is that no answer came at all."""
    with tempfile.TemporaryDirectory(prefix="hotline-silent-") as home:
        switch = start_switch(
            asterisk_tree, Path(home), system_name="silent", emergency_timeout_s=30
        )
        try:
            async with AsyncExitStack() as stack:
                people = People(switch, stack)
                second = await people.exchange(2)
                second.on_ring(answer_after(0))
                call = await (await people.citizen()).call("119")
                await second.until_ringing(12)
                await call.until_answered(5)
                await call.hangup()
            told = (switch.config.log_dir / "messages.log").read_text()
            assert "Timer B" not in told, "Asterisk takes no less than 64 times T1"
        finally:
            process.stop(switch.config)


async def test_agent_sends_the_caller_to_110_with_the_phone_alone(
    people: People, manager: BareManager
) -> None:
    exchange = await people.exchange()
    exchange.on_ring(answer_after(0))
    agent = await people.agent("1001")
    agent.on_ring(answer_after(0))
    citizen = await people.citizen()
    call = await citizen.call("12345")
    taken = await agent.until_ringing(8)
    await manager.until("AgentConnect")
    assert await taken.refer("110") == 202
    put_through = await reached(exchange, "110")
    await taken.until_ended(5)
    await both_ways(call, put_through)
    dialled = await manager.until("EmergencyDialled")
    assert dialled["Source"] == "transfer"
    assert dialled["Call"] == (await manager.until("CallArrived"))["Call"]
    await call.hangup()


async def test_agent_sends_the_caller_to_120_by_keys(people: People, manager: BareManager) -> None:
    exchange = await people.exchange()
    exchange.on_ring(answer_after(0))
    agent = await people.agent("1001")
    agent.on_ring(answer_after(0))
    citizen = await people.citizen()
    call = await citizen.call("12345")
    taken = await agent.until_ringing(8)
    await manager.until("AgentConnect")
    for digit in "##":
        taken.send_digit(digit)
    await until_heard(taken, 300.0)
    for digit in "120":
        taken.send_digit(digit)
    put_through = await reached(exchange, "120")
    await both_ways(call, put_through)
    await call.hangup()


async def test_book_of_calls_keeps_line_and_time_without_the_product(
    people: People, asterisk: Switch
) -> None:
    exchange = await people.exchange()
    exchange.on_ring(answer_after(0))
    citizen = await people.citizen("13800000077")
    call = await citizen.call("122")
    await reached(exchange, "122")
    await call.until_answered(5)
    await call.hangup()

    def entry() -> list[str]:
        book = asterisk.config.cdr_file
        lines = book.read_text().splitlines() if book.exists() else []
        return [line for line in lines if "emergency-122" in line and "13800000077" in line]

    await until(entry, why="the call is in the book")
    assert '"ANSWERED"' in entry()[0]


async def test_emergency_is_put_through_at_once(people: People, manager: BareManager) -> None:
    exchange = await people.exchange()
    call = await (await people.citizen()).call("110")
    await reached(exchange, "110")
    came = await manager.until("Newchannel", Exten="110")
    assert seconds_between(came, await manager.until("DialBegin")) < 0.5
    await call.hangup()
