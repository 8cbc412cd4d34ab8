"""Taking part in a conversation from the page: hold, ask somebody, three-way, hand over, dial out.

All of it is Asterisk's own transfer, begun and steered for the agent's phone as if its keys had
been pressed (``[desk-codes]`` in the dialplan): with us dead in the middle, the phone's keys and
its hanging up still end it well. Asterisk answers "Success" to much that it then does not do, so
each request waits for the fact and raises ``NotDone`` if it does not come.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, Protocol
from weakref import WeakValueDictionary

from base.ids import AgentId, AttemptId, CallId
from telephony import actions
from telephony.actions import Action, Answer
from telephony.events import ConsultState
from telephony.failures import ActionRefused, CallGone, NotDone
from telephony.resync import RECORDING_PAUSED
from telephony.snapshot import Call, Snapshot, Talk

CONFIRM_TIMEOUT_S: Final = 2.0
CONFIRM_EVERY_S: Final = 0.02
JOINED_TRIES: Final = 25
# For a moment after a hold Asterisk takes no key: at once it lost all, after 0.3 s none.
KEYS_BACK_S: Final = 0.3
# What the phone's keys do while the agent is with whoever was asked (features.conf).
BACK: Final = "*1"
HAND_OVER: Final = "*2"
THREE_WAY: Final = "*3"
# Extensions of [desk-codes].
ASK: Final = "*70"
HOLD: Final = "*71"
SEND_ON: Final = "*72"


class CallControl(Protocol):
    """What may be asked for a live call. Each raises TelephonyError if it was not done."""

    async def hold(self, call: CallId) -> None:
        """The caller hears music until ``resume``."""

    async def resume(self, call: CallId) -> None:
        """The agent is with the caller again; whoever was being asked is let go."""

    async def consult(self, call: CallId, number: str) -> None:
        """The agent asks somebody while the caller is held."""

    async def hand_over(self, call: CallId) -> None:
        """The caller is with whoever was asked; the agent has left."""

    async def three_way(self, call: CallId) -> None:
        """Caller, agent and whoever was asked hear one another."""

    async def send_on(self, call: CallId, number: str) -> None:
        """The caller is sent there without asking, and comes back first if nobody answers."""

    async def let_go(self, call: CallId) -> None:
        """The agent leaves the conversation; in a three-way call the others stay."""

    async def pause_recording(self, call: CallId, *, is_paused: bool) -> None:
        """Silence in the recording, both sides, until it goes on."""

    async def dial(self, agent: AgentId, attempt: AttemptId, number: str) -> None:
        """Ring the agent, then the number, with the centre's own number shown.

        Returns when the agent has taken it; ``NotDone`` where they do not.
        """


class AsteriskControl:
    """``CallControl`` over AMI; ``snapshot`` is the picture that the events have led to."""

    def __init__(
        self,
        send: Callable[[Action], Awaitable[Answer]],
        snapshot: Callable[[], Snapshot],
    ) -> None:
        self._send = send
        self._snapshot = snapshot
        self._keys: WeakValueDictionary[CallId, asyncio.Lock] = WeakValueDictionary()
        """One at a time: keys of two requests would run together (a second hold hands over)."""

    async def hold(self, call: CallId) -> None:
        async with self._talking(call, "hold") as channel:
            await self._send_when_joined(actions.attended_transfer(channel, HOLD))
            await self._until(call, "hold", lambda now: "agent" in now.held)

    async def resume(self, call: CallId) -> None:
        async with self._holding(call, "resume") as channel:
            await self._send(actions.cancel_transfer(channel))
            await self._until(call, "resume", lambda now: "agent" not in now.held)
            await asyncio.sleep(KEYS_BACK_S)

    async def consult(self, call: CallId, number: str) -> None:
        async with self._talking(call, "consult") as channel:
            await self._send(actions.set_variable(channel, "__HOTLINE_TARGET", number))
            await self._send_when_joined(actions.attended_transfer(channel, ASK))
            await self._until(call, "consult", lambda now: now.consult is not None)

    async def hand_over(self, call: CallId) -> None:
        async with self._holding(call, "hand_over") as channel:
            await self._press(channel, HAND_OVER)
            await self._until_left(call, "hand_over")

    async def three_way(self, call: CallId) -> None:
        async with self._holding(call, "three_way") as channel:
            await self._press(channel, THREE_WAY)
            await self._until(call, "three_way", _is_joined)

    async def send_on(self, call: CallId, number: str) -> None:
        async with self._talking(call, "send_on") as channel:
            await self._send(actions.set_variable(call, "HOTLINE_TARGET", number))
            await self._send_when_joined(actions.blind_transfer(channel, SEND_ON))
            await self._until_left(call, "send_on")

    async def let_go(self, call: CallId) -> None:
        await self._send(actions.hangup(self._talk(call).channel))
        await self._until_left(call, "let_go")

    async def pause_recording(self, call: CallId, *, is_paused: bool) -> None:
        if call not in self._snapshot().calls:
            raise CallGone(call=call)
        # For a process that starts in the middle: nothing else tells that the recording is mute.
        await self._send(actions.set_variable(call, RECORDING_PAUSED, str(int(is_paused))))
        await self._send(actions.mute_recording(call, is_muted=is_paused))
        await self._confirm(
            lambda: (now := self._call(call)) is None or now.is_recording_paused is is_paused,
            call,
            "pause_recording",
        )

    async def dial(self, agent: AgentId, attempt: AttemptId, number: str) -> None:
        answer = await self._send(actions.dial_out(agent, attempt, number))
        if answer.events[-1].get("Response").lower() != "success":
            raise NotDone(agent=agent, what="dial")

    async def _send_when_joined(self, action: Action) -> None:
        """Asterisk tells of an answer a moment before the two are joined; a transfer in between is
        refused ("Transfer invalid")."""
        for _ in range(JOINED_TRIES):
            with contextlib.suppress(ActionRefused):
                await self._send(action)
                return
            await asyncio.sleep(CONFIRM_EVERY_S)
        await self._send(action)

    # ---- waiting for the fact ------------------------------------------------------------------

    @asynccontextmanager
    async def _talking(self, call: CallId, what: str) -> AsyncIterator[str]:
        """Agent and caller hear each other, and nobody else: their channel, for one request."""
        async with self._one_at_a_time(call):
            talk = self._talk(call)
            if "agent" in talk.held or talk.consult is not None:
                raise NotDone(call=call, what=what, because="held")
            yield talk.channel

    @asynccontextmanager
    async def _holding(self, call: CallId, what: str) -> AsyncIterator[str]:
        """The caller waits while the agent asks somebody, or nobody."""
        async with self._one_at_a_time(call):
            talk = self._talk(call)
            if "agent" not in talk.held:
                raise NotDone(call=call, what=what, because="not_held")
            yield talk.channel

    def _one_at_a_time(self, call: CallId) -> asyncio.Lock:
        return self._keys.setdefault(call, asyncio.Lock())

    async def _press(self, channel: str, keys: str) -> None:
        for key in keys:
            await self._send(actions.press(channel, key))

    async def _until(self, call: CallId, what: str, is_so: Callable[[Talk], bool]) -> None:
        def is_there() -> bool:
            now = self._call(call)
            return now is None or now.talk is None or is_so(now.talk)

        await self._confirm(is_there, call, what)
        self._talk(call)

    async def _until_left(self, call: CallId, what: str) -> None:
        await self._confirm(
            lambda: (now := self._call(call)) is None or now.talk is None, call, what
        )

    async def _confirm(self, is_so: Callable[[], bool], call: CallId, what: str) -> None:
        try:
            async with asyncio.timeout(CONFIRM_TIMEOUT_S):
                while not is_so():  # noqa: ASYNC110 - the picture has no event to wait for
                    await asyncio.sleep(CONFIRM_EVERY_S)
        except TimeoutError as error:
            raise NotDone(call=call, what=what) from error

    def _call(self, call: CallId) -> Call | None:
        return self._snapshot().calls.get(call)

    def _talk(self, call: CallId) -> Talk:
        known = self._call(call)
        if known is None or known.talk is None:
            raise CallGone(call=call, speaker="agent")
        return known.talk


def _is_joined(talk: Talk) -> bool:
    return talk.consult is not None and talk.consult.state is ConsultState.JOINED
