"""The bounded line of what came from Asterisk, between the socket and the one who reads.

Overflow rule: *drop the link*. Single events are never dropped; a reader that falls too far behind
gets nothing more of this link, and a fresh snapshot on the next.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from base.errors import HotlineError
from telephony.wire import Message


@dataclass(frozen=True, slots=True)
class LinkUp:
    """Logged in; take a snapshot now. What follows came after it."""


@dataclass(frozen=True, slots=True)
class LinkFailed:
    """No link, and why. Comes again only when the reason changes or a link was up in between."""

    error: HotlineError


@dataclass(frozen=True, slots=True)
class Listed:
    """What Asterisk answered to an audit's questions; the events before this came before it."""

    queues: Sequence[Message]
    channels: Sequence[Message]


@dataclass(frozen=True, slots=True)
class InboxClosed:
    """Nothing will ever follow."""


InboxItem = Message | LinkUp | LinkFailed | Listed | InboxClosed


class Inbox:
    """Many may put, one takes."""

    def __init__(self, *, max_messages: int) -> None:
        self._max_messages = max_messages
        self._items: deque[InboxItem] = deque()
        self._is_filled = asyncio.Event()

    def __len__(self) -> int:
        return len(self._items)

    def put(self, message: Message) -> bool:
        """Add a message; False, and everything unread is gone, where there is no room."""
        if len(self._items) >= self._max_messages:
            self._items.clear()
            return False
        self.mark(message)
        return True

    def mark(self, item: InboxItem) -> None:
        """Add what must not be lost, room or not."""
        self._items.append(item)
        self._is_filled.set()

    async def take(self) -> InboxItem:
        while not self._items:
            self._is_filled.clear()
            await self._is_filled.wait()
        return self._items.popleft()
