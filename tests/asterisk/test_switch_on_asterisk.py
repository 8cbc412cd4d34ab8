"""Real Asterisk behind our AMI client keeps to the contract of a switch, through a bad network."""

import asyncio
import contextlib
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from base.ids import AgentId, CallId, StreamId
from telephony.events import (
    AgentLeft,
    CallEnded,
    CallEvent,
    EmergencyConnected,
    EmergencyDialled,
    LegHeld,
    LegResumed,
    LinkChanged,
    Outcome,
)
from telephony.failures import LoginRefused
from telephony.phone import Phone, PhoneCall, answer_after, reject_with
from telephony.phone.errors import PhoneError
from telephony.switch import AsteriskSwitch, Speaker
from tests.asterisk.people import AGENT_HZ, CITIZEN_HZ, LINE_HZ, People, voice
from tests.asterisk.switch import Switch as PrivateAsterisk
from tests.asterisk.switch import until_heard
from tests.contract.switch_contract import AGENT, ASKED, SwitchContract, answered, listening
from tests.fakes.ami_server import until
from tests.faults.ami_proxy import AmiProxy, Mode

MANAGER_USER = "hotline"
ASKED_HZ = 3000.0


class SpeechServer:
    """Takes AudioSocket streams and counts the sound of each."""

    def __init__(self) -> None:
        self.sound_bytes: Counter[str] = Counter()
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        assert isinstance(port, int)
        return port

    async def __aenter__(self) -> "SpeechServer":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        stream = ""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                kind, *length = await reader.readexactly(3)
                payload = await reader.readexactly(int.from_bytes(bytes(length)))
                if kind == 0x01:
                    stream = str(uuid.UUID(bytes=payload))
                elif any(payload):
                    self.sound_bytes[stream] += len(payload)
        writer.close()


class AsteriskStage:
    """A citizen and agent 1001 on phones; a proxy before the manager port."""

    def __init__(
        self,
        asterisk: PrivateAsterisk,
        switch: AsteriskSwitch,
        proxy: AmiProxy,
        speech: SpeechServer,
        people: People,
    ) -> None:
        self.switch = switch
        self.proxy = proxy
        self._asterisk = asterisk
        self._speech = speech
        self._people = people
        self._agent: Phone | None = None
        self._citizen_call: PhoneCall | None = None
        self._agent_call: PhoneCall | None = None
        self._asked_call: PhoneCall | None = None

    async def citizen_calls(self) -> None:
        self._agent = await self._people.agent(AGENT)
        # The colleague is there to be asked, and rung by nobody else.
        await self._people.pause(ASKED)
        self._asked = await self._people.agent(ASKED)
        citizen = await self._people.citizen()
        self._citizen_call = await citizen.call("12345", play=voice(CITIZEN_HZ))

    async def phone_rings(self) -> None:
        assert self._agent is not None
        self._agent_call = await self._agent.until_ringing(15)

    async def agent_answers(self) -> None:
        """Until the citizen is heard: only then has Asterisk taken the answer."""
        assert self._agent_call is not None
        await self._agent_call.answer()
        self._agent_call.play(voice(AGENT_HZ))
        await until_heard(self._agent_call, CITIZEN_HZ)

    async def agent_declines(self) -> None:
        assert self._agent_call is not None
        self._agent_call.reject(486)

    async def agent_hangs_up(self) -> None:
        assert self._agent_call is not None
        await self._agent_call.hangup()

    async def hears_at_the_desk(self, other: PhoneCall) -> None:
        assert self._agent_call is not None
        other.play(voice(LINE_HZ))
        await until_heard(self._agent_call, LINE_HZ)

    async def agent_holds(self, held: bool) -> None:
        assert self._agent_call is not None
        await self._agent_call.hold(held)

    async def citizen_hangs_up(self) -> None:
        assert self._citizen_call is not None
        with contextlib.suppress(PhoneError):  # Asterisk may have hung up first.
            await self._citizen_call.hangup()
        await until(lambda: not self._callers(), timeout_s=15, why="the line is gone")

    def _callers(self) -> list[str]:
        """The citizen's channel, as long as Asterisk has it."""
        return [each for each in self._asterisk.channels() if each.startswith("PJSIP/trunk-")]

    async def asked_answers(self) -> None:
        self._asked_call = await self._asked.until_ringing(5)
        await self._asked_call.answer()
        self._asked_call.play(voice(ASKED_HZ))

    async def asked_hangs_up(self) -> None:
        assert self._asked_call is not None
        await self._asked_call.hangup()

    async def caller_and_asked_talk(self) -> None:
        assert self._citizen_call is not None
        assert self._asked_call is not None
        await until_heard(self._citizen_call, ASKED_HZ)
        await until_heard(self._asked_call, CITIZEN_HZ)

    async def asked_gets_the_caller(self) -> None:
        await self.asked_answers()
        await self.caller_and_asked_talk()

    async def lose_link(self) -> None:
        self.proxy.is_refusing = True
        self.proxy.cut()

    async def regain_link(self) -> None:
        self.proxy.is_refusing = False

    async def speech_hears(self, stream: StreamId) -> None:
        await until(lambda: self._speech.sound_bytes[stream] > 1600, why="sound at the server")

    async def fork(self, call: CallId, speaker: Speaker, stream: StreamId) -> None:
        await self.switch.fork(call, speaker, stream, "127.0.0.1", self._speech.port)


@pytest.fixture
async def stage(asterisk: PrivateAsterisk, people: People) -> AsyncIterator[AsteriskStage]:
    async with AmiProxy(asterisk.ami_port) as proxy, SpeechServer() as speech:
        switch = AsteriskSwitch(
            host="127.0.0.1", port=proxy.port, username=MANAGER_USER, secret=asterisk.secret
        )
        yield AsteriskStage(asterisk, switch, proxy, speech, people)


class TestAsteriskSwitch(SwitchContract):
    @pytest.fixture(name="stage")
    async def real_stage(self, stage: AsteriskStage) -> AsteriskStage:
        return stage


async def test_stream_cut_into_single_bytes_tells_the_same(stage: AsteriskStage) -> None:
    stage.proxy.mode = Mode.SPLIT
    async with listening(stage.switch) as heard:
        await answered(stage, heard)
        await stage.citizen_hangs_up()
        await heard.until(CallEnded)
        assert len(heard.of_calls()) == 6
    assert not stage.switch.unknown_events


async def test_half_open_link_is_noticed_within_ten_seconds_and_made_again(
    stage: AsteriskStage,
) -> None:
    async with listening(stage.switch) as heard:
        loop = asyncio.get_running_loop()
        stage.proxy.mode = Mode.FREEZE
        began_mono = loop.time()
        await until(lambda: not heard.all(LinkChanged)[-1].is_up, timeout_s=12)
        assert loop.time() - began_mono <= 10
        assert heard.all(LinkChanged)[-1].reason == "telephony_link_silent"
        stage.proxy.mode = Mode.PASS
        await until(lambda: heard.all(LinkChanged)[-1].is_up, timeout_s=10)


async def test_reset_link_is_noticed_within_200_ms(stage: AsteriskStage) -> None:
    async with listening(stage.switch) as heard:
        loop = asyncio.get_running_loop()
        began_mono = loop.time()
        stage.proxy.cut()
        await until(lambda: not heard.all(LinkChanged)[-1].is_up)
        assert loop.time() - began_mono < 0.2


async def test_wrong_secret_is_refused_clearly_by_real_asterisk(asterisk: PrivateAsterisk) -> None:
    switch = AsteriskSwitch(
        host="127.0.0.1", port=asterisk.ami_port, username=MANAGER_USER, secret="wrong-secret"
    )
    running = asyncio.create_task(switch.run())
    with pytest.raises(LoginRefused):
        await switch.wait_until_up(timeout_s=5)
    switch.close()
    await running


async def test_process_that_starts_in_the_middle_of_a_call_learns_all_of_it(
    stage: AsteriskStage, asterisk: PrivateAsterisk
) -> None:
    async with listening(stage.switch) as heard:
        talk = await answered(stage, heard)
        late = AsteriskSwitch(
            host="127.0.0.1",
            port=asterisk.ami_port,
            username=MANAGER_USER,
            secret=asterisk.secret,
        )
        async with listening(late) as late_heard:
            assert late_heard.of_calls() == ["CallArrived", "CallAnswered"]
            known = late.snapshot().calls[talk.call]
            assert known.caller_number == "13800000001"
            assert known.called_number == "12345"
            assert known.talk is not None
            assert (known.talk.agent, known.talk.ring) == (AgentId(AGENT), talk.ring)
            await stage.citizen_hangs_up()
            await late_heard.until(CallEnded)
        await heard.until(CallEnded)
    both = [
        {type(e).__name__ for e, _ in each.events if isinstance(e, CallEvent)}
        for each in (heard, late_heard)
    ]
    assert {"AgentLeft", "CallEnded"} <= both[0] & both[1]


async def test_emergency_call_is_told_and_learnt_by_a_process_that_starts_during_it(
    stage: AsteriskStage, asterisk: PrivateAsterisk, people: People
) -> None:
    exchange = await people.exchange()
    citizen = await people.citizen()
    exchange.on_ring(answer_after(0.1))
    async with listening(stage.switch) as heard:
        call = await citizen.call("110")
        connected = await heard.until(EmergencyConnected)
        late = AsteriskSwitch(
            host="127.0.0.1",
            port=asterisk.ami_port,
            username=MANAGER_USER,
            secret=asterisk.secret,
        )
        async with listening(late):
            # Answer and bridge are two moments; a process may start between them.
            await until(lambda: late.snapshot().calls[connected.call].is_emergency_connected)
            assert late.snapshot().calls[connected.call].emergency_line == "110"
        await call.hangup()
        ended = await heard.until(CallEnded)
    assert ended.outcome is Outcome.EMERGENCY
    assert heard.of_calls() == [
        "CallArrived",
        "EmergencyDialled",
        "EmergencyConnected",
        "CallEnded",
    ]


async def test_page_brings_the_line_in_and_a_process_that_starts_then_learns_it(
    stage: AsteriskStage, asterisk: PrivateAsterisk, people: People
) -> None:
    exchange = await people.exchange()
    async with listening(stage.switch) as heard:
        talk = await answered(stage, heard)
        await stage.switch.bring_in_emergency(talk.call, "119", talk.agent)
        line = await exchange.until_ringing(8)
        dialled = await heard.until(EmergencyDialled)
        assert (dialled.call, dialled.line, line.dialled) == (talk.call, "119", "119")
        await line.answer()
        await heard.until(EmergencyConnected)
        await stage.hears_at_the_desk(line)
        late = AsteriskSwitch(
            host="127.0.0.1",
            port=asterisk.ami_port,
            username=MANAGER_USER,
            secret=asterisk.secret,
        )
        async with listening(late):
            known = late.snapshot().calls[talk.call]
            assert (known.emergency_line, known.is_emergency_connected) == ("119", True)
            assert known.talk is not None
        await stage.agent_hangs_up()
        await heard.until(AgentLeft)
        await line.hangup()
        ended = await heard.until(CallEnded)
    assert ended.outcome is Outcome.EMERGENCY


async def test_trunk_test_tells_which_trunk_answers(stage: AsteriskStage, people: People) -> None:
    first, second = await people.exchange(), await people.exchange(2)
    first.on_ring(answer_after(0))
    second.on_ring(reject_with(486))
    async with listening(stage.switch) as heard:
        assert await stage.switch.test_trunk("emergency", "053100000000") == "answered"
        assert await stage.switch.test_trunk("emergency-2", "053100000000") != "answered"
        with pytest.raises(ValueError, match="110"):
            await stage.switch.test_trunk("emergency", "110")
        assert heard.of_calls() == []


async def test_hold_is_told_and_learnt_by_a_process_that_starts_during_it(
    stage: AsteriskStage, asterisk: PrivateAsterisk
) -> None:
    async with listening(stage.switch) as heard:
        talk = await answered(stage, heard)
        await stage.agent_holds(True)
        held = await heard.until(LegHeld)
        assert (held.call, held.speaker) == (talk.call, "agent")
        late = AsteriskSwitch(
            host="127.0.0.1",
            port=asterisk.ami_port,
            username=MANAGER_USER,
            secret=asterisk.secret,
        )
        async with listening(late) as late_heard:
            assert late_heard.of_calls() == ["CallArrived", "CallAnswered", "LegHeld"]
            known = late.snapshot().calls[talk.call].talk
            assert known is not None
            assert known.held == {"agent"}
            await stage.agent_holds(False)
            resumed = await late_heard.until(LegResumed)
            assert (resumed.call, resumed.speaker) == (talk.call, "agent")
        await heard.until(LegResumed)
        await stage.citizen_hangs_up()
        await heard.until(CallEnded)
        assert len(heard.all(LegHeld)) == len(heard.all(LegResumed)) == 1
