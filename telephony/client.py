"""Keeps one AMI link to Asterisk up: connect, log in, watch, begin again. On panoramisk's Manager.

Actions are sent only on a link that is logged in, and fail at once when it ends. A silent peer is
noticed within ``ping_every_s + ping_timeout_s``; a refused login is retried slowly, as only a
person can mend it. ``close`` is final.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from typing import Any, Final, NoReturn

import structlog

from base.backoff import backoff_s
from base.errors import HotlineError
from telephony.actions import Action, Answer, login, ping
from telephony.failures import (
    ActionRefused,
    ActionTimedOut,
    LinkBroken,
    LinkClosed,
    LinkDown,
    LinkOverflow,
    LinkSilent,
    LoginRefused,
)
from telephony.inbox import Inbox, InboxClosed, LinkFailed, LinkUp
from telephony.library import Manager
from telephony.link import Link
from telephony.wire import Message

log = structlog.get_logger(__name__)

CONNECT_TIMEOUT_S: Final = 5.0
# Asterisk says FullyBooted at once, or at the end of its start; an account without the class
# "system" never hears it, and waiting longer would help nobody.
BOOT_TIMEOUT_S: Final = 10.0
RETRY_FIRST_S: Final = 0.2
RETRY_MOST_S: Final = 5.0
REFUSED_RETRY_S: Final = 30.0
# The reason for which Asterisk refuses everything, logins too, while it ends: soon it is back.
SHUTTING_DOWN: Final = "shutting down"
# A link that lived this long was a good one: the next wait is short again.
STEADY_AFTER_S: Final = 10.0
MAX_UNREAD_MESSAGES: Final = 20_000


class _Panoramisk(Manager):  # type: ignore[misc]  # panoramisk is untyped
    """panoramisk's Manager with its dispatch, pings, replay and reconnect put out of action."""

    def connection_made(self, f: asyncio.Task[Any]) -> None:
        """The connecting task's end is AmiClient's to see."""

    def connection_lost(self, exc: Exception | None) -> None:
        """AmiClient reconnects."""

    def ping(self) -> None:
        """AmiClient pings, and reads the answers."""

    async def send_awaiting_actions(self, *_: object) -> None:
        """No action is ever sent again on another link."""

    def send_action(self, action: Any, as_list: Any = None, **kwargs: Any) -> NoReturn:
        raise NotImplementedError("AmiClient.send is the only way out.")


class AmiClient:
    """The only owner of the link. ``run`` keeps it; ``inbox`` has what came; ``send`` asks."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        username: str,
        secret: str,
        ping_every_s: float = 3.0,
        ping_timeout_s: float = 5.0,
        boot_timeout_s: float = BOOT_TIMEOUT_S,
        refused_retry_s: float = REFUSED_RETRY_S,
        max_unread_messages: int = MAX_UNREAD_MESSAGES,
    ) -> None:
        self._address = (host, port)
        self._username = username
        self._secret = secret
        self._ping_every_s = ping_every_s
        self._ping_timeout_s = ping_timeout_s
        self._boot_timeout_s = boot_timeout_s
        self._refused_retry_s = refused_retry_s
        self.inbox = Inbox(max_messages=max_unread_messages)
        self._link: Link | None = None
        self._opening: Link | None = None
        self._closing = asyncio.Event()
        self._manager = _Panoramisk(host=host, port=port, protocol_factory=self._new_link)
        self._is_settled = asyncio.Event()
        self.last_error: HotlineError | None = None

    @property
    def is_up(self) -> bool:
        return self._link is not None

    def _new_link(self) -> Link:
        return Link(self._deliver)

    def _deliver(self, message: Message) -> None:
        if not self.inbox.put(message):
            log.error("ami_inbox_overflow")
            self.drop(LinkOverflow())

    async def send(self, action: Action) -> Answer:
        """Ask Asterisk; see ``Link.send``. Without a link it fails at once: nothing waits."""
        if self._closing.is_set():
            raise LinkClosed(action=action.name)
        if self._link is None:
            raise LinkDown(action=action.name)
        return await self._link.send(action)

    async def wait_until_up(self, *, timeout_s: float) -> None:
        """Until there is a link; raises LoginRefused at once, or after the time what is wrong."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._is_settled.wait()
        if self._link is None:
            raise self.last_error or LinkDown()

    def drop(self, why: LinkDown) -> None:
        """Cut the link now; ``run`` makes a new one."""
        if (link := self._link or self._opening) is not None:
            link.drop(why)

    def close(self) -> None:
        """End it for good; ``run`` returns."""
        self._closing.set()
        self.drop(LinkClosed())

    async def run(self) -> None:
        """Keep the link up until ``close``; a failed or lost link is never an error here."""
        waits = _waits()
        try:
            while not self._closing.is_set():
                began_mono = time.monotonic()
                error = await self._live()
                if time.monotonic() - began_mono >= STEADY_AFTER_S:
                    waits = _waits()
                wait_s = next(waits)
                if isinstance(error, LoginRefused):
                    wait_s = self._refused_retry_s
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await self._closing.wait()
        finally:
            self._closing.set()
            self.drop(LinkClosed())
            self.inbox.mark(InboxClosed())

    async def _live(self) -> HotlineError:
        """One link from connecting to its end; returns why it ended."""
        try:
            link = await self._open()
            self._link = link
            self.last_error = None
            log.info("ami_link_up", host=self._address[0], port=self._address[1])
            self.inbox.mark(LinkUp())
            self._is_settled.set()
            await self._watch(link)
            error: HotlineError = link.end
        except HotlineError as failed:
            error = failed
        finally:
            self.drop(LinkDown(reason="given up"))
            was_up = self._link is not None
            self._link = self._opening = None
        self._note(error, was_up=was_up)
        return error

    def _note(self, error: HotlineError, *, was_up: bool) -> None:
        is_news = was_up or self.last_error is None or self.last_error.code != error.code
        self.last_error = error
        # A refusal stays until a person mends it: who waits for the link is told now.
        (self._is_settled.set if isinstance(error, LoginRefused) else self._is_settled.clear)()
        if is_news and not self._closing.is_set():
            log.warning("ami_link_down", code=error.code, error=str(error))
            self.inbox.mark(LinkFailed(error))

    async def _open(self) -> Link:
        host, port = self._address
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                _, self._opening = await self._manager.connect()
        except (OSError, TimeoutError) as error:
            raise LinkDown(host=host, port=port, reason=type(error).__name__) from error
        link = self._opening
        assert link is not None
        await self._log_in(link)
        try:
            async with asyncio.timeout(self._boot_timeout_s):
                await _first(link.booted, link.ended)
        except TimeoutError:
            log.warning("ami_no_fully_booted")
        return link

    async def _log_in(self, link: Link) -> None:
        try:
            await link.send(login(self._username, self._secret))
        except ActionRefused as refused:
            reason = str(refused.params.get("reason"))
            if SHUTTING_DOWN in reason.lower():
                raise LinkDown(reason=reason) from refused
            raise LoginRefused(username=self._username, reason=reason) from refused
        except ActionTimedOut as late:
            if not link.banner:
                host, port = self._address
                raise LinkBroken("No Asterisk manager answers there.", host=host, port=port) from (
                    late
                )
            raise

    async def _watch(self, link: Link) -> None:
        """Until the link ends; end it where Asterisk no longer answers."""
        while not link.ended.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._ping_every_s):
                    await link.ended.wait()
                return
            try:
                await link.send(ping(timeout_s=self._ping_timeout_s))
            except ActionTimedOut:
                link.drop(LinkSilent(silent_s=self._ping_every_s + self._ping_timeout_s))
            except ActionRefused as refused:
                link.drop(LinkDown(reason=str(refused.params.get("reason"))))
            except LinkDown:
                return


def _waits() -> Iterator[float]:
    return backoff_s(first_s=RETRY_FIRST_S, most_s=RETRY_MOST_S)


async def _first(*signs: asyncio.Event) -> None:
    waiting = [asyncio.ensure_future(sign.wait()) for sign in signs]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()
