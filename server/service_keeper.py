"""Starts a private service again that died; one that was stopped on purpose is left alone.

A killed PostgreSQL, Valkey or Asterisk leaves its pid file behind, a stopped one takes it away:
that is the whole difference, and it needs no memory of ours.
"""

import asyncio

import structlog

from base.backoff import backoff_s
from base.errors import SetupError
from server.services.service import Service

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 1.0


async def keep_service(service: Service, *, look_every_s: float = LOOK_EVERY_S) -> None:
    """Watch one service until cancelled."""
    pauses = backoff_s(first_s=0.5, most_s=20.0)
    while True:
        await asyncio.sleep(look_every_s)
        if not await asyncio.to_thread(service.has_died):
            continue
        log.error("service_died", service=service.name)
        try:
            await asyncio.to_thread(service.start)
        except (SetupError, OSError) as error:
            pause_s = next(pauses)
            log.error("service_not_started", service=service.name, reason=str(error))
            await asyncio.sleep(pause_s)
        else:
            pauses = backoff_s(first_s=0.5, most_s=20.0)
            log.warning("service_started_again", service=service.name)
