"""Messages to the outside, each exactly once: written with the fact they tell of, sent afterwards.

Owns the table ``outbox`` and the life of a message, pending → sending → sent | dead. ``enqueue``
writes it in the caller's transaction: no fact without its message, no message without its fact.
``Sender`` leases what is due, delivers and marks. Nobody can know whether a delivery arrived when
the sender dies before its mark: it is attempted again **with the same key**, and a receiver that
refuses a key it has had ends with one. Must never know what a message says, drop one in silence,
or rely on NOTIFY, which only shortens the wait.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Protocol

import asyncpg
import structlog

from base.backoff import backoff_s
from base.database import Connection, Database, DatabaseUnavailable
from base.errors import HotlineError
from base.sql_files import load_sql

log = structlog.get_logger(__name__)

SQL = load_sql(Path(__file__).parent / "sql")
_NOTIFICATION = "hotline_outbox"


class Undeliverable(HotlineError):
    """The receiver will never take this message: do not try again."""

    code = "undeliverable"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxMessage:
    """A message as its channel's ``Deliver`` gets it."""

    id: int
    channel: str
    key: str
    """The idempotency key: the same in every attempt; the receiver is told it."""
    ordering_key: str
    payload: Mapping[str, object]
    attempt: int
    """1 for the first."""
    fence: int
    """Whose lease this is: raised by each, so that only the last holder's mark counts."""
    enqueued_at: datetime


class Deliver(Protocol):
    """One channel's way out. Returns when the receiver has the message, now or since earlier.

    Raises ``Undeliverable`` for what it will never take; any other error is tried again.
    """

    async def __call__(self, message: OutboxMessage, /) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingPolicy:
    """How often and how long; the defaults give up after some 77 minutes."""

    deliver_timeout_s: float = 10.0
    """Counted from before the lease: a sender that was frozen does not begin late."""
    lease_s: float = 30.0
    most_attempts: int = 16
    retry_first_s: float = 2.0
    retry_most_s: float = 600.0
    batch: int = 16
    """Messages of a channel that one sender delivers at a time."""
    poll_s: float = 1.0
    """How long a lost NOTIFY may delay a message."""

    def __post_init__(self) -> None:
        if self.lease_s <= self.deliver_timeout_s:
            raise ValueError("the lease must outlast the delivery")

    def retry_after_s(self, attempt: int) -> float:
        waits = backoff_s(first_s=self.retry_first_s, most_s=self.retry_most_s)
        return next(islice(waits, attempt - 1, None))


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What of a channel is not sent."""

    channel: str
    pending: int
    sending: int
    dead: int
    oldest_at: datetime | None
    """When the longest waiting message was enqueued; None: none waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadMessage:
    """A message that was given up; its payload stays in the table."""

    channel: str
    key: str
    attempts: int
    last_error: str
    enqueued_at: datetime
    settled_at: datetime


async def enqueue(
    connection: Connection,
    *,
    channel: str,
    key: str,
    payload: Mapping[str, object],
    ordering_key: str = "",
) -> bool:
    """Add a message to the caller's transaction; False: the channel has had this key.

    Messages of one ``ordering_key`` go out in the order in which their transactions commit; to
    that end such transactions wait for each other. One that was given up holds up no other.
    Texts from outside go through ``base.database.storable`` first.
    """
    if not connection.is_in_transaction():
        raise ValueError("enqueue belongs inside the transaction of what the message tells of")
    if ordering_key:
        await connection.execute(SQL["lock_ordering_key"], channel, ordering_key)
    added = await connection.fetch(
        SQL["enqueue_message"], channel, key, ordering_key, dict(payload)
    )
    return bool(added)


async def standing(database: Database) -> list[Standing]:
    """Count what waits, is under way and was given up, for health and metrics."""
    return [Standing(**row) for row in await database.fetch(SQL["outbox_standing"])]


async def dead_messages(database: Database, *, most: int = 100) -> list[DeadMessage]:
    """What was given up, the latest first."""
    return [DeadMessage(**row) for row in await database.fetch(SQL["dead_messages"], most)]


async def resend_dead(
    database: Database, *, channel: str, key: str = "", error: str = "", most: int = 1000
) -> list[str]:
    """Try again what was given up: one message, those that failed alike, or a channel's; its keys.

    Its attempts count anew, its key stays the same.
    """
    rows = await database.fetch(SQL["resend_dead"], channel, key, error, most)
    return [str(row["key"]) for row in rows]


async def forget_sent(database: Database, *, days: int, most: int = 1000) -> int:
    """Drop what messages said that were sent more than ``days`` ago; return of how many.

    Their keys stay for ever: a key once used stays used.
    """
    count = await database.fetchval(SQL["forget_sent_messages"], days, most)
    return int(count)


class Sender:
    """Sends the messages of its channels; any number of them work beside each other."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Deliver],
        policy: SendingPolicy | None = None,
    ) -> None:
        self._database = database
        self._channels = dict(channels)
        self._policy = policy or SendingPolicy()
        self._wake = {channel: asyncio.Event() for channel in channels}

    async def run(self) -> None:
        """Send until cancelled; what is under way then is tried again when its lease ends.

        Channels do not wait for each other. Holds one connection of the pool to listen on.
        """
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen(), name="outbox:listen")
            for channel in self._channels:
                tasks.create_task(self._serve(channel), name=f"outbox:{channel}")

    async def send_due(self, channels: Iterable[str] | None = None) -> int:
        """Attempt one batch of what is due, in all channels or these; return how many."""
        names = self._channels if channels is None else channels
        deadline = asyncio.get_running_loop().time() + self._policy.deliver_timeout_s
        leased = [message for name in names for message in await self._lease(name)]
        async with asyncio.TaskGroup() as tasks:
            for message in leased:
                tasks.create_task(self._send(message, deadline), name=f"outbox:{message.id}")
        return len(leased)

    async def _lease(self, channel: str) -> list[OutboxMessage]:
        policy = self._policy
        async with self._database.connection() as connection:
            buried = await connection.fetch(SQL["bury_unanswered"], channel, policy.most_attempts)
            rows = await connection.fetch(
                SQL["lease_messages"], channel, policy.batch, policy.lease_s
            )
        for row in buried:
            log.error("outbox_message_dead", **dict(row), error="sender_lost")
        return [_message_of_row(row) for row in rows]

    async def _send(self, message: OutboxMessage, deadline: float) -> None:
        """Deliver and mark; the root of a task, nothing of one message harms another's."""
        try:
            async with asyncio.timeout_at(deadline):
                await self._channels[message.channel](message)
        except Undeliverable as error:
            failure, is_final = error.code, True
        except Exception as error:
            # Never the error's text: it may hold a number or an address.
            failure, is_final = getattr(error, "code", None) or type(error).__name__, False
        else:
            failure, is_final = "", False
        try:
            await self._mark(message, failure, is_final)
        except DatabaseUnavailable:
            log.warning("outbox_message_unmarked", message=message.id, channel=message.channel)

    async def _mark(self, message: OutboxMessage, failure: str, is_final: bool) -> None:
        named = {"message": message.id, "channel": message.channel, "attempt": message.attempt}
        token = (message.id, message.fence)
        if not failure:
            action = "outbox_message_sent"
            marked = await self._database.fetchval(SQL["mark_sent"], *token)
        elif is_final or message.attempt >= self._policy.most_attempts:
            action = "outbox_message_dead"
            marked = await self._database.fetchval(SQL["mark_dead"], *token, failure)
        else:
            action = "outbox_message_postponed"
            wait_s = self._policy.retry_after_s(message.attempt)
            marked = await self._database.fetchval(SQL["mark_failed"], *token, failure, wait_s)
        if marked is None:
            log.warning("outbox_mark_refused", wanted=action, **named)
        elif action == "outbox_message_dead":
            log.error(action, error=failure, **named)
        else:
            log.info(action, error=failure, **named)

    async def _serve(self, channel: str) -> None:
        waits = _outage_waits()
        while True:
            self._wake[channel].clear()
            try:
                attempted = await self.send_due([channel])
            except DatabaseUnavailable:
                await asyncio.sleep(next(waits))
                continue
            except Exception:
                log.exception("outbox_channel_failed", channel=channel)
                await asyncio.sleep(next(waits))
                continue
            waits = _outage_waits()
            if not attempted:
                await self._sleep_until_woken(channel)

    async def _sleep_until_woken(self, channel: str) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._policy.poll_s):
                await self._wake[channel].wait()

    async def _listen(self) -> None:
        waits = _outage_waits()
        while True:
            lost = asyncio.Event()
            with suppress(DatabaseUnavailable):
                async with self._database.connection() as connection:
                    connection.add_termination_listener(partial(_set, lost))
                    await connection.add_listener(_NOTIFICATION, self._notified)
                    waits = _outage_waits()
                    try:
                        await lost.wait()
                    finally:
                        await connection.remove_listener(_NOTIFICATION, self._notified)
            await asyncio.sleep(next(waits))

    def _notified(self, _connection: object, _pid: int, _name: str, channel: object) -> None:
        if isinstance(channel, str) and (wake := self._wake.get(channel)) is not None:
            wake.set()


def _outage_waits() -> Iterator[float]:
    return backoff_s(first_s=0.2, most_s=5.0)


def _set(event: asyncio.Event, _connection: object) -> None:
    event.set()


def _message_of_row(row: asyncpg.Record) -> OutboxMessage:
    return OutboxMessage(
        id=row["id"],
        channel=row["channel"],
        key=row["key"],
        ordering_key=row["ordering_key"],
        payload=row["payload"],
        attempt=row["attempts"],
        fence=row["fence"],
        enqueued_at=row["enqueued_at"],
    )
