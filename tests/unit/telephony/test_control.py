"""Acts inside a conversation, against what Asterisk answers at the wrong moment."""

from datetime import UTC, datetime

import pytest

from base.ids import AgentId, CallId, RingId
from telephony import control
from telephony.actions import Action, Answer
from telephony.control import AsteriskControl
from telephony.failures import ActionRefused
from telephony.snapshot import Call, Snapshot, Talk
from telephony.wire import Message

CALL = CallId("hl1-1.1")
TALK = Talk(ring=RingId("hl1-1.2"), agent=AgentId("1001"), channel="PJSIP/1001-1")
AT = datetime(2026, 11, 27, 2, tzinfo=UTC)


class Asterisk:
    """Refuses the first transfers, as in the moment between an answer and its bridge."""

    def __init__(self, *, refusals: int) -> None:
        self._refusals = refusals
        self.sent: list[str] = []
        self.talk: Talk | None = TALK

    def snapshot(self) -> Snapshot:
        call = Call(CALL, "13800138000", "", "12345", AT, talk=self.talk)
        return Snapshot(calls={CALL: call})

    async def send(self, action: Action) -> Answer:
        self.sent.append(action.name)
        if action.name == "BlindTransfer":
            if self.sent.count(action.name) <= self._refusals:
                raise ActionRefused(action=action.name, reason="Transfer invalid")
            self.talk = None
        return Answer(Message(b"Response: Success\r\n\r\n"))


async def test_a_caller_is_sent_on_as_soon_as_the_two_are_joined() -> None:
    asterisk = Asterisk(refusals=3)
    await AsteriskControl(asterisk.send, asterisk.snapshot).send_on(CALL, "1002")
    assert asterisk.sent.count("BlindTransfer") == 4


async def test_a_transfer_that_stays_refused_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "JOINED_TRIES", 3)
    asterisk = Asterisk(refusals=100)
    with pytest.raises(ActionRefused, match="Transfer invalid"):
        await AsteriskControl(asterisk.send, asterisk.snapshot).send_on(CALL, "1002")
    assert asterisk.sent.count("BlindTransfer") == 4
