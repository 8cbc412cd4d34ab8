"""The web role: HTTP, sign-in, websockets, the dialplan's question. Any number may run."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from datetime import UTC, datetime

import structlog
from aiohttp import web

from base.database import Database
from base.errors import SetupError
from base.ids import CallId
from server.connections import database_url, redis_url
from server.http.desk_routes import DeskRoutes
from server.http.door import IsLive, open_door
from server.ledger_seals import keep_sealing
from server.outside.senders import senders
from server.records.postgres import PostgresRecords
from server.redis_client import connect_redis
from server.retention import drop_what_is_old
from server.roles.web_parts import Connections, Parts, build_parts
from server.roles.web_routes import app_of
from server.settings import Settings
from tickets.registration import Confirmation, Registered
from tickets.spool import Entered
from tickets.sweeper import Sweeper

log = structlog.get_logger(__name__)


async def run(settings: Settings) -> None:
    """Serve until cancelled."""
    redis = connect_redis(redis_url(settings))
    database = await Database.open(database_url(settings, "web"), name="hotline-web")
    of_units = await Database.open(database_url(settings, "unit"), name="hotline-web-units")
    try:
        to = Connections(redis=redis, database=database, of_units=of_units)
        await _serve(await build_parts(settings, to))
    finally:
        await of_units.close()
        await database.close()
        await redis.aclose()


async def _serve(parts: Parts) -> None:
    app = app_of(parts)

    def is_live(connection: asyncio.BaseProtocol) -> bool:
        return parts.socket.is_live(connection) or parts.phones.is_live(connection)

    settings, database = parts.settings, parts.to.database
    sweeper = Sweeper(database, parts.orders, lambda: datetime.now(UTC))
    async with (
        aclosing(parts.entry),
        senders(settings, parts.outside, database, parts.orders, parts.codes) as sender,
        _door(app, settings, is_live),
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(sender.run(), name="senders")
        tasks.create_task(parts.suspensions.run(), name="suspensions")
        tasks.create_task(parts.hub.run(), name="hub")
        tasks.create_task(parts.admission.run(), name="admission-book")
        tasks.create_task(parts.registrar.run(_tell(parts.desks, parts.records)), name="spool")
        tasks.create_task(sweeper.run(), name="timers")
        tasks.create_task(keep_sealing(settings, database), name="seals")
        retention = drop_what_is_old(database, parts.files, keep_days=settings.keep_days)
        tasks.create_task(retention, name="retention")


@asynccontextmanager
async def _door(app: web.Application, settings: Settings, is_live: IsLive) -> AsyncIterator[None]:
    host, port = settings.bind, settings.ports.http
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(open_door(app, host, port, is_live=is_live))
        except OSError as error:
            raise SetupError(
                f"port {port} on {host} cannot be used: {error.strerror}",
                fix="stop what uses it, or set HOTLINE_PORT_HTTP or HOTLINE_PORT_BASE to a free"
                " one",
            ) from error
        log.info("web_listening", host=host, port=port)
        yield


def _tell(desks: DeskRoutes, records: PostgresRecords) -> Entered:
    """Tell the agent that a kept confirmation became a ticket."""

    async def entered(confirmation: Confirmation, registered: Registered) -> None:
        stored = await records.find_call(CallId(confirmation.call))
        if stored is not None and stored.facts.agent is not None:
            await desks.tell_desk(stored.facts.agent, confirmation.call, registered)

    return entered
