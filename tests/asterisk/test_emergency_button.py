"""The agent's button: a code from the phone brings the line into the conversation; product dead.

Nobody is moved: caller and agent talk until the line answers, whatever becomes of it meanwhile.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from telephony.handovers import Handover, HandoverOutcome, read_handovers
from telephony.phone import Phone, PhoneCall, answer_after, ignore, reject_with
from tests.asterisk.manager import BareManager
from tests.asterisk.people import AGENT_HZ, CITIZEN_HZ, LINE_HZ, People, voice
from tests.asterisk.switch import PROMPT_HZ, Switch, hears, until, until_heard
from tests.asterisk.test_return_call import call_back

LINES = ("110", "119", "120", "122")
NUMBER = "13800000031"
GIVEN_UP = "13800000098"
"""Asterisk repeats the INVITE of a call that was given up, into the tests that follow."""


@dataclass
class Talk:
    """A caller and an agent in conversation."""

    citizen: PhoneCall
    agent: PhoneCall
    desk: Phone

    def press(self, keys: str) -> None:
        for key in keys:
            self.agent.send_digit(key)


async def begin(people: People, manager: BareManager, number: str = NUMBER) -> Talk:
    agent = await people.agent("1001")
    agent.on_ring(answer_after(0))
    citizen = await people.citizen(number, name="王小明")
    call = await citizen.call("12345", play=voice(CITIZEN_HZ))
    taken = await agent.until_ringing(8)
    await manager.until("AgentConnect")
    taken.play(voice(AGENT_HZ))
    await until_heard(call, AGENT_HZ)
    return Talk(call, taken, agent)


async def reached(exchange: Phone, line: str, number: str = NUMBER) -> PhoneCall:
    """The citizen's call at the exchange."""
    while True:
        call = await exchange.until_ringing(8)
        if call.number == number:
            assert call.dialled == line
            return call


async def hears_from_now(call: PhoneCall, frequency_hz: float) -> None:
    heard = len(call.heard_pcm)
    await until(
        lambda: hears(call.heard_pcm[heard:], frequency_hz), why=f"{frequency_hz:g} Hz from now on"
    )


async def test_code_brings_the_line_in_and_the_agent_may_leave(
    people: People, manager: BareManager
) -> None:
    exchange = await people.exchange()
    talk = await begin(people, manager)
    talk.press("*110")
    put_through = await reached(exchange, "110")
    await hears_from_now(talk.citizen, AGENT_HZ)
    await put_through.answer()
    put_through.play(voice(LINE_HZ))
    await hears_from_now(talk.citizen, LINE_HZ)
    await hears_from_now(talk.agent, LINE_HZ)
    await hears_from_now(put_through, CITIZEN_HZ)
    await hears_from_now(put_through, AGENT_HZ)
    dialled = await manager.until("EmergencyDialled", Line="110", Source="button")
    connected = await manager.until("EmergencyConnected", Line="110")
    arrived = await manager.until("CallArrived")
    assert arrived["Call"] == dialled["Call"] == connected["Call"]
    await talk.agent.hangup()
    await hears_from_now(talk.citizen, LINE_HZ)
    await hears_from_now(put_through, CITIZEN_HZ)
    await put_through.hangup()
    await talk.citizen.until_ended(5)


async def test_each_line_has_its_code(people: People, manager: BareManager) -> None:
    exchange = await people.exchange()
    exchange.on_ring(answer_after(0))
    talk = await begin(people, manager)
    for line in LINES:
        talk.press(f"*{line}")
        put_through = await reached(exchange, line)
        await manager.until("EmergencyConnected", Line=line)
        await hears_from_now(talk.citizen, AGENT_HZ)  # the beep is over: the next key counts
        await put_through.hangup()
    await talk.agent.hangup()
    await talk.citizen.until_ended(5)


async def test_line_that_hangs_up_leaves_caller_and_agent_together(
    people: People, manager: BareManager
) -> None:
    exchange = await people.exchange()
    exchange.on_ring(answer_after(0, play=voice(LINE_HZ)))
    talk = await begin(people, manager)
    talk.press("*110")
    put_through = await reached(exchange, "110")
    await hears_from_now(talk.citizen, LINE_HZ)
    await put_through.hangup()
    await hears_from_now(talk.citizen, AGENT_HZ)
    await hears_from_now(talk.agent, CITIZEN_HZ)
    await talk.agent.hangup()
    await talk.citizen.until_ended(5)


async def test_line_speaks_on_with_the_agent_when_the_caller_hangs_up(
    people: People, manager: BareManager
) -> None:
    exchange = await people.exchange()
    exchange.on_ring(answer_after(0, play=voice(LINE_HZ)))
    talk = await begin(people, manager)
    talk.press("*110")
    put_through = await reached(exchange, "110")
    await hears_from_now(talk.agent, LINE_HZ)
    await talk.citizen.hangup()
    await hears_from_now(talk.agent, LINE_HZ)
    await hears_from_now(put_through, AGENT_HZ)
    await talk.agent.hangup()
    await put_through.until_ended(5)


async def test_caller_whose_agent_hangs_up_too_soon_gets_the_line(
    people: People, manager: BareManager
) -> None:
    exchange = await people.exchange()
    talk = await begin(people, manager)
    talk.press("*119")
    put_through = await reached(exchange, "119")
    await talk.agent.hangup()
    await manager.until("AgentComplete")
    await put_through.answer()
    put_through.play(voice(LINE_HZ))
    await hears_from_now(talk.citizen, LINE_HZ)
    await hears_from_now(put_through, CITIZEN_HZ)
    await put_through.hangup()
    await talk.citizen.until_ended(5)


async def test_caller_whose_agent_hangs_up_too_soon_goes_first_to_another_if_the_line_fails(
    people: People, manager: BareManager
) -> None:
    exchange, second = await people.exchange(), await people.exchange(2)
    second.on_ring(reject_with(503))
    talk = await begin(people, manager)
    talk.press("*119")
    put_through = await reached(exchange, "119")
    talk.desk.on_ring(ignore())
    await talk.agent.hangup()
    await manager.until("AgentComplete")
    assert not talk.desk.calls
    # From now on: the queue rings right behind the words that tell of the failure.
    talk.desk.on_ring(answer_after(0, play=voice(LINE_HZ)))
    put_through.reject(486)
    await until_heard(talk.citizen, PROMPT_HZ["hotline/emergency-unreachable"])
    await hears_from_now(talk.citizen, LINE_HZ)
    await talk.citizen.hangup()


async def test_caller_who_hangs_up_while_the_line_rings_stops_its_ringing(
    people: People, manager: BareManager
) -> None:
    exchange = await people.exchange()
    talk = await begin(people, manager)
    talk.press("*122")
    put_through = await reached(exchange, "122")
    await talk.citizen.hangup()
    await put_through.until_ended(5)


async def test_second_trunk_is_tried_and_both_hear_when_it_fails_too(
    people: People, manager: BareManager
) -> None:
    exchange, second = await people.exchange(), await people.exchange(2)
    exchange.on_ring(reject_with(486))
    talk = await begin(people, manager)
    talk.press("*120")
    there = await reached(second, "120")
    await hears_from_now(talk.citizen, AGENT_HZ)
    there.reject(503)
    await until_heard(talk.citizen, PROMPT_HZ["hotline/emergency-unreachable-warm"])
    await until_heard(talk.agent, PROMPT_HZ["hotline/emergency-unreachable-warm"])
    await hears_from_now(talk.citizen, AGENT_HZ)
    await hears_from_now(talk.agent, CITIZEN_HZ)
    exchange.on_ring(answer_after(0, play=voice(LINE_HZ)))
    talk.press("*120")
    await hears_from_now(talk.citizen, LINE_HZ)
    await talk.citizen.hangup()
    await talk.agent.hangup()


async def test_code_pressed_twice_calls_the_line_once(people: People, manager: BareManager) -> None:
    exchange = await people.exchange()
    talk = await begin(people, manager)
    talk.press("*110")
    await reached(exchange, "110")
    talk.press("*110")
    await until(lambda: len(_dialling(manager, "Newchannel")) == 2, why="it was pressed twice")
    await until(lambda: _dialling(manager, "Hangup"), why="the second gave up")
    assert len(manager.named("EmergencyDialled")) == 1
    await talk.citizen.hangup()


def _dialling(manager: BareManager, event: str) -> list[str]:
    channels = (each["Channel"] for each in manager.named(event))
    return [channel for channel in channels if "@emergency-warm" in channel and ";2" in channel]


async def test_silent_trunk_gives_way_to_the_second_and_the_agent_stays(
    people: People, manager: BareManager
) -> None:
    exchange, second = await people.exchange(), await people.exchange(2)
    exchange.on_ring(ignore())
    second.on_ring(answer_after(0, play=voice(LINE_HZ)))
    talk = await begin(people, manager, GIVEN_UP)
    talk.press("*110")
    await reached(second, "110", GIVEN_UP)
    await hears_from_now(talk.citizen, LINE_HZ)
    await hears_from_now(talk.agent, LINE_HZ)
    await talk.citizen.hangup()
    await talk.agent.hangup()


@pytest.mark.requirement("R031", city="taian_draft")
@pytest.mark.requirement("R031", city="hangzhou_2024")
async def test_book_tells_the_hand_over_with_the_product_dead(
    people: People, manager: BareManager, asterisk: Switch
) -> None:
    began_at = datetime.now(UTC) - timedelta(seconds=1)
    exchange = await people.exchange()
    exchange.on_ring(reject_with(486))
    second = await people.exchange(2)
    talk = await begin(people, manager)
    talk.press("*120")
    line = await reached(second, "120")
    await line.answer()
    await manager.until("EmergencyConnected")
    await talk.agent.hangup()
    await manager.until("AgentComplete")
    await line.hangup()
    await talk.citizen.until_ended(5)

    def told() -> list[Handover]:
        found = read_handovers(asterisk.config.log_dir, began_at)
        return [each for each in found if each.ended_at is not None]

    await until(told, why="the hand-over is in the book")
    (one,) = told()
    assert one.call == (await manager.until("CallArrived"))["Call"]
    assert (one.line, one.source, one.agent) == ("120", "button", "1001")
    assert (one.caller_number, one.caller_name) == (NUMBER, "王小明")
    assert [(each.trunk, each.status) for each in one.tries] == [("emergency", "BUSY")]
    assert (one.trunk, one.outcome) == ("emergency-2", HandoverOutcome.ANSWERED)
    assert one.answered_at is not None
    assert one.ended_at is not None
    assert began_at < one.asked_at < one.answered_at < one.ended_at
    assert (line.number, line.name) == (NUMBER, "王小明")


async def test_code_works_in_a_return_call_too(people: People, manager: BareManager) -> None:
    exchange, outside = await people.exchange(), await people.outside()
    exchange.on_ring(answer_after(0, play=voice(LINE_HZ)))
    outside.on_ring(answer_after(0))
    agent = await people.agent("1001")
    agent.on_ring(answer_after(0, play=voice(AGENT_HZ)))
    await call_back(manager, "hotline-return31-1795770031.0", "13800000231")
    taken = await agent.until_ringing(8)
    citizen = await outside.until_ringing(8)
    citizen.play(voice(CITIZEN_HZ))
    await until_heard(citizen, AGENT_HZ)
    for key in "*110":
        taken.send_digit(key)
    line = await reached(exchange, "110", "13800000231")
    await hears_from_now(line, CITIZEN_HZ)
    await taken.hangup()
    await hears_from_now(citizen, LINE_HZ)
    await hears_from_now(line, CITIZEN_HZ)
    await line.hangup()
    await citizen.until_ended(5)
