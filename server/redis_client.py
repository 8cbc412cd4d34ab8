"""One way to connect to Redis or Valkey: bounded waits, bytes in and out."""

import asyncio
from collections.abc import Iterable

from redis.asyncio import Connection, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

CONNECT_TIMEOUT_S = 2.0
ANSWER_TIMEOUT_S = 6.0
"""Longer than any blocking read of ours."""


class CancellableConnection(Connection):
    """Never swallows a cancellation.

    redis-py sends through ``asyncio.wait_for``, which before Python 3.12 drops a cancellation that
    arrives just as the sending is done (CPython issue 86296): measured, a quarter of those that hit
    a busy client. A task would then live on after its ``cancel``, and a time-out never fire.
    """

    async def send_packed_command(
        self, command: bytes | str | Iterable[bytes], check_health: bool = True
    ) -> None:
        task = asyncio.current_task()
        before = task.cancelling() if task is not None else 0
        await super().send_packed_command(command, check_health)
        if task is not None and task.cancelling() > before:
            # The answer that is on its way must never be taken for that of another question.
            await self.disconnect(nowait=True)
            raise asyncio.CancelledError


def connect_redis(url: str) -> Redis:
    """A client that connects when first used; each lost connection is one clear error."""
    return Redis.from_url(
        url,
        connection_class=CancellableConnection,
        socket_connect_timeout=CONNECT_TIMEOUT_S,
        socket_timeout=ANSWER_TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
        health_check_interval=0,
        decode_responses=False,
    )
