"""The fake switch keeps to the contract of real ones."""

import pytest

from base.ids import CallId, RingId, StreamId
from telephony.events import ConsultState, RingEnd
from telephony.switch import Speaker
from tests.contract.switch_contract import AGENT, ASKED, SwitchContract
from tests.fakes.switch import FakeSwitch


class FakeStage:
    """The people around a fake switch."""

    def __init__(self) -> None:
        self.switch = FakeSwitch()
        self.call = CallId("")
        self.ring = RingId("")

    async def citizen_calls(self) -> None:
        self.call = self.switch.arrive()

    async def phone_rings(self) -> None:
        self.switch.queue(self.call)
        self.ring = self.switch.ring(self.call, AGENT)

    async def agent_answers(self) -> None:
        self.switch.answer(self.call, self.ring)

    async def agent_declines(self) -> None:
        self.switch.stop_ringing(self.call, self.ring, RingEnd.DECLINED)

    async def agent_hangs_up(self) -> None:
        self.switch.agent_leaves(self.call)

    async def citizen_hangs_up(self) -> None:
        self.switch.hang_up(self.call)

    async def asked_answers(self) -> None:
        self.switch.control.asked(self.call, ConsultState.ANSWERED)

    async def asked_hangs_up(self) -> None:
        self.switch.control.asked(self.call, ConsultState.OVER)

    async def caller_and_asked_talk(self) -> None:
        assert self.call in self.switch.snapshot().calls

    async def asked_gets_the_caller(self) -> None:
        assert self.switch.control.sent_on == [(self.call, ASKED)]

    async def lose_link(self) -> None:
        self.switch.lose_link()

    async def regain_link(self) -> None:
        self.switch.regain_link()

    async def speech_hears(self, stream: StreamId) -> None:
        assert stream in [forked for _, _, forked in self.switch.forks]

    async def fork(self, call: CallId, speaker: Speaker, stream: StreamId) -> None:
        await self.switch.fork(call, speaker, stream, "127.0.0.1", 1)


class TestFakeSwitch(SwitchContract):
    @pytest.fixture
    async def stage(self) -> FakeStage:
        return FakeStage()
