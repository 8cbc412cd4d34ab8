"""One TCP connection to Asterisk's manager: messages in, actions out, pending answers.

Replaces panoramisk's protocol. A pending action ends in exactly one of: its answer, a refusal, its
time-out, the caller's cancellation, the end of the link; then it is forgotten. Nothing is repeated
on another link: a stale Originate would call a citizen twice.
"""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Final, assert_never, cast

import structlog

from telephony.actions import Action, Answer, OneResponse, UntilEvent, WholeList
from telephony.failures import ActionRefused, ActionTimedOut, LinkBroken, LinkDown
from telephony.library import AMIProtocol
from telephony.wire import Message, MessageReader, WireBroken, encode_action

log = structlog.get_logger(__name__)

MAX_LIST_ITEMS: Final = 50_000
_ID_HEADERS: Final = (b"ActionID: ", b"CommandID: ")
_SUCCESS: Final = frozenset({"success", "follows", "goodbye"})


@dataclass(slots=True)
class _Pending:
    """An action on its way. ``answer`` is done exactly once."""

    action: Action
    answer: asyncio.Future[Answer]
    response: Message | None = None
    events: list[Message] = field(default_factory=list)

    def take(self, message: Message) -> bool:
        """Take in a message with our id; True where it is a list's item, of no use to others."""
        if message.is_event:
            return self._take_event(message)
        self.response = message
        if message.get("Response").lower() not in _SUCCESS:
            reason = message.get("Message")
            self._fail(ActionRefused(action=self.action.name, reason=reason))
        elif isinstance(self.action.completion, OneResponse):
            self._finish()
        return True

    def _take_event(self, event: Message) -> bool:
        match self.action.completion:
            case OneResponse():
                return False
            case WholeList():
                self._take_item(event)
                return True
            case UntilEvent(event=name):
                if event.name == name:
                    self.events.append(event)
                    self._finish()
                return False
            case _ as never:
                assert_never(never)

    def _take_item(self, event: Message) -> None:
        state = event.get("EventList").lower()
        if state == "cancelled" or len(self.events) >= MAX_LIST_ITEMS:
            self._fail(ActionRefused(action=self.action.name, reason="list not complete"))
        elif state == "complete" or event.name.endswith("Complete"):
            self._finish()
        else:
            self.events.append(event)

    def _finish(self) -> None:
        if not self.answer.done() and self.response is not None:
            self.answer.set_result(Answer(self.response, tuple(self.events)))

    def _fail(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class Link(AMIProtocol):  # type: ignore[misc]  # panoramisk is untyped
    """panoramisk's protocol with its reading, its registry and its end replaced."""

    def __init__(self, deliver: Callable[[Message], None]) -> None:
        self._deliver = deliver
        self._reader = MessageReader()
        self._pending: dict[str, _Pending] = {}
        self._ids = count(1)
        self._id_prefix = secrets.token_hex(4)
        self._end: LinkDown | None = None
        self.ended = asyncio.Event()
        self.booted = asyncio.Event()

    @property
    def banner(self) -> str:
        return self._reader.banner

    @property
    def end(self) -> LinkDown:
        """Why the link ended."""
        return self._end or LinkDown()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is none by its class

    def data_received(self, data: bytes) -> None:
        try:
            for message in self._reader.feed(data):
                if self._end is not None:
                    return
                self.handle_message(message)
        except WireBroken as error:
            self.drop(LinkBroken(error.message))

    def handle_message(self, message: Message) -> None:
        pending = self._pending_of(message)
        if pending is not None and pending.take(message):
            return
        if message.name == "FullyBooted":
            self.booted.set()
        if message.is_event:
            self._deliver(message)

    def _pending_of(self, message: Message) -> _Pending | None:
        # Looking for an id would mean to parse every event: look at the bytes first.
        if not self._pending or not any(header in message.raw for header in _ID_HEADERS):
            return None
        return self._pending.get(message.get("ActionID") or message.get("CommandID"))

    async def send(self, action: Action) -> Answer:
        """Ask, and wait for the whole answer.

        Raises ActionRefused, ActionTimedOut, LinkDown, or ActionUnsafe with nothing sent.
        """
        if self._end is not None:
            raise self._end
        action_id = f"{self._id_prefix}-{next(self._ids)}"
        data = encode_action(action.name, (*_ids(action, action_id), *action.headers))
        pending = _Pending(action, asyncio.get_running_loop().create_future())
        self._pending[action_id] = pending
        try:
            async with asyncio.timeout(action.timeout_s):
                self.transport.write(data)
                return await pending.answer
        except TimeoutError:
            raise ActionTimedOut(action=action.name, timeout_s=action.timeout_s) from None
        finally:
            del self._pending[action_id]

    def drop(self, why: LinkDown) -> None:
        """End the link at once; whatever is still unread or unsent is lost."""
        self._finish(why)
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._finish(LinkDown(reason=type(exc).__name__ if exc else "closed by Asterisk"))

    def _finish(self, why: LinkDown) -> None:
        if self._end is not None:
            return
        self._end = why
        self.ended.set()
        for pending in self._pending.values():
            if not pending.answer.done():
                pending.answer.set_exception(why)


def _ids(action: Action, action_id: str) -> list[tuple[str, str]]:
    ids = [("ActionID", action_id)]
    if isinstance(action.completion, UntilEvent) and action.completion.id_header != "ActionID":
        ids.append((action.completion.id_header, action_id))
    return ids
