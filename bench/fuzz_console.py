"""The whole console on a port of its own, to be attacked, with an honest browser beside.

The HTTP application, the hub and the door are the product's own, Valkey is real; behind them stand
a sign-in that knows two tokens and a database that knows nothing, so that the attack meets our
code and not argon2's.
"""

import asyncio
import gc
import itertools
import secrets
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

import psutil
from redis.asyncio import Redis

from base.database import Database, DatabaseUnavailable
from base.ids import AgentId, TicketId, UserId
from base.task_set import TaskSet
from bench.private_valkey import HOST, private_valkey
from routing.queues import default_plan
from server.auth import NotSignedIn, Role, SignIn, User, WrongCredentials
from server.citizen_code import CitizenCodes
from server.events import Events
from server.http.app import build_app
from server.http.around_tickets import operations_around_tickets
from server.http.attachment_routes import AttachmentRoutes
from server.http.call_routes import CallRoutes
from server.http.citizen_routes import CitizenRoutes
from server.http.desk_routes import DeskRoutes
from server.http.door import open_door
from server.http.emergency_routes import EmergencyRoutes
from server.http.event_card_routes import EventCardRoutes
from server.http.figure_routes import FigureRoutes
from server.http.follow_up_routes import FollowUpRoutes
from server.http.identity import Identity
from server.http.loopback import DialplanOnly
from server.http.own_calls import OwnCalls, desks_in
from server.http.public_routes import PublicRoutes
from server.http.queue_routes import QueueRoutes
from server.http.session_routes import SessionRoutes
from server.http.supervision_routes import SupervisionRoutes
from server.http.ticket_door import TicketDoor
from server.http.ticket_routes import TicketRoutes
from server.http.work_order_routes import WorkOrderRoutes
from server.live.commands import Command, CommandServer
from server.push.hub import Hub
from server.push.protocol import Links, LinksChanged
from server.push.socket import PushSocket
from server.records.call_book import CallBook
from server.records.handovers import Handovers
from server.records.postgres import PostgresRecords
from server.records.return_calls import ReturnCalls
from server.records.supervision import Acts
from server.records.trunk_tests import TrunkTests
from server.redis_client import connect_redis
from tests.integration.server.push.parts import Bridge, Browser
from tickets.attachment_files import AttachmentFiles
from tickets.refusals import TicketUnseen
from tickets.registration import Confirmation, checked
from tickets.spool import Kept, Registrar
from tickets.store import TicketStore
from tickets.work_orders import WorkOrders

HOSTILE, HONEST = "h" * 43, "g" * 43
"""Tokens of agents 1001 and 1002."""
EVENT_EVERY_S: Final = 0.02
MOST_GAP_S: Final = 2.0
SETTLED_WITHIN_S: Final = 30.0
MOST_LEFT_OBJECTS: Final = 5_000


class _TwoPeople(SignIn):
    """Knows two sessions and no password."""

    def __init__(self) -> None:
        self._users = {HOSTILE: _agent("1001"), HONEST: _agent("1002")}

    async def authenticate(self, username: str, password: str, address: str) -> User:
        username.strip().lower().encode(errors="replace")
        raise WrongCredentials

    async def session_user(self, token: str | None) -> User:
        if token not in self._users:
            raise NotSignedIn
        return self._users[token]

    async def open_session(self, user: User) -> str:
        return secrets.token_urlsafe(32)

    async def close_session(self, token: str) -> None:
        """Nobody is signed out by an attack on somebody else."""


def _agent(number: str) -> User:
    return User(
        id=UserId(number),
        username=f"agent{number}",
        display_name=number,
        role=Role.AGENT,
        agent=AgentId(number),
    )


class _Nothing:
    """A database without a row."""

    async def find_call(self, call: str) -> None:
        return None

    async def by_number(self, number: str) -> None:
        return None

    async def id_of(self, number: str) -> TicketId:
        raise TicketUnseen

    async def brake(self, kind: str, what: str, free_attempts: int) -> None:
        """Guessing is not what is tried here."""

    def transaction(self) -> object:
        raise DatabaseUnavailable

    connection = transaction

    async def confirm(self, confirmation: Confirmation) -> Kept:
        checked(confirmation)
        return Kept(call=confirmation.call)


async def _refuse_nothing(command: Command) -> object:
    return None


@dataclass
class Console:
    """What is attacked, and what is watched meanwhile."""

    port: int
    hub: Hub
    bridge: Bridge
    honest: Browser
    published: int = 0
    worst_gap_s: float = 0.0
    _objects: int = 0
    _descriptors: int = 0
    _tasks_before: int = 0
    _is_over: bool = False
    _stopped: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: TaskSet = field(default_factory=lambda: TaskSet("honest"))

    async def begin(self) -> None:
        """Note what there is before the attack, and begin to serve the honest one."""
        await self.honest.until(lambda me: me.is_up_to_date, "the honest first look")
        gc.collect()
        self._objects, self._descriptors = len(gc.get_objects()), psutil.Process().num_fds()
        self._tasks_before = len(asyncio.all_tasks())
        self._tasks.spawn(self._publish(), name="publish")

    async def _publish(self) -> None:
        while not self._is_over:
            state = "down" if self.published % 2 == 0 else "up"
            links = Links(telephony="up", speech=state, database="up")  # type: ignore[arg-type]
            await self.bridge.publish(LinksChanged(links=links), agent="1002")
            self.published += 1
            await asyncio.sleep(EVENT_EVERY_S)
        self._stopped.set()

    async def faults(self) -> list[str]:
        """What went wrong or was left over; call it when the attack is over."""
        self._is_over = True
        await self._stopped.wait()
        await self._tasks.close()
        found = await self._honest_faults()
        until_mono = asyncio.get_running_loop().time() + SETTLED_WITHIN_S
        while True:
            left = self._left_over()
            if not left or asyncio.get_running_loop().time() > until_mono:
                return found + left
            await asyncio.sleep(0.25)

    async def _honest_faults(self) -> list[str]:
        try:
            await self.honest.until_equal(self.bridge, "1002")
        except AssertionError as error:
            return [f"the honest browser: {error}"]
        arrivals = self.honest.arrivals_mono
        gaps = [after - before for before, after in itertools.pairwise(arrivals)]
        self.worst_gap_s = max(gaps, default=0.0)
        found = []
        if len(self.honest.events) != self.published or self.honest.snapshots != 1:
            told = f"{len(self.honest.events)} events, {self.honest.snapshots} snapshots"
            found.append(f"the honest browser got {told} of {self.published} events")
        if self.worst_gap_s > MOST_GAP_S:
            found.append(f"the honest browser heard nothing for {self.worst_gap_s:.1f} s")
        del arrivals[:], self.honest.events[:], self.honest.views[:]
        return found

    def _left_over(self) -> list[str]:
        gc.collect()
        counted = {
            "browsers": len(self.hub) - 1,
            "tasks": len(asyncio.all_tasks()) - self._tasks_before,
            "descriptors": psutil.Process().num_fds() - self._descriptors,
            "objects": len(gc.get_objects()) - self._objects,
        }
        # The pool to Redis keeps as many connections as were once wanted at the same moment.
        allowed = {"browsers": 0, "tasks": 2, "descriptors": 40, "objects": MOST_LEFT_OBJECTS}
        return [f"{n} {what} left" for what, n in counted.items() if n > allowed[what]]


@asynccontextmanager
async def attacked_console() -> AsyncIterator[Console]:
    """Everything up, the honest browser at its desk."""
    with private_valkey() as url, tempfile.TemporaryDirectory() as folder:
        async with _running(url, Path(folder)) as console:
            yield console


@asynccontextmanager
async def _running(url: str, folder: Path) -> AsyncIterator[Console]:
    redis = connect_redis(url)
    hub, tasks = Hub(redis), TaskSet("console")
    identity, nothing = Identity(_TwoPeople()), _Nothing()
    codes = CitizenCodes("x")
    citizens = CitizenRoutes(
        cast(SignIn, nothing), cast(Database, nothing), cast(WorkOrders, nothing), codes
    )
    door = TicketDoor(
        identity, cast(Database, nothing), cast(Database, nothing), cast(WorkOrders, nothing)
    )
    socket = PushSocket(identity, hub, redis, hello_timeout_s=1.0)
    app = build_app(
        public=PublicRoutes(redis, DialplanOnly(frozenset(), secrets.token_hex(16))),
        sessions=SessionRoutes(_TwoPeople(), identity, redis),
        desks=DeskRoutes(identity, redis, cast(Registrar, nothing), cast(PostgresRecords, nothing)),
        calls=CallRoutes(identity, redis, cast(CallBook, nothing), ()),
        tickets=TicketRoutes(
            identity,
            cast(TicketStore, nothing),
            cast(PostgresRecords, nothing),
            cast(Handovers, nothing),
            cast(CallBook, nothing),
            folder,
        ),
        work_orders=WorkOrderRoutes(
            door,
            cast(Database, nothing),
            cast(WorkOrders, nothing),
            codes,
            OwnCalls(desks_in(redis), cast(CallBook, nothing)),
            [
                *citizens.operations(),
                *AttachmentRoutes(
                    door,
                    cast(Database, nothing),
                    cast(WorkOrders, nothing),
                    citizens,
                    AttachmentFiles(folder),
                ).operations(),
                *FollowUpRoutes(
                    door, cast(Database, nothing), cast(WorkOrders, nothing), citizens
                ).operations(),
                *operations_around_tickets(
                    door, cast(Database, nothing), cast(WorkOrders, nothing)
                ),
                *EventCardRoutes(
                    identity, default_plan(), cast(Events, nothing), folder
                ).operations(),
            ],
        ),
        emergencies=EmergencyRoutes(
            identity, redis, cast(Handovers, nothing), cast(TrunkTests, nothing)
        ),
        figures=FigureRoutes(identity, cast(Database, nothing)),
        queues=QueueRoutes(
            identity,
            default_plan(),
            cast(ReturnCalls, nothing),
            cast(PostgresRecords, nothing),
        ),
        supervision=SupervisionRoutes(
            identity, redis, cast(Acts, nothing), ("1900",), is_shown=True
        ),
        socket=socket,
    )
    tasks.spawn(hub.run(), name="hub")
    tasks.spawn(_serve_commands(redis), name="commands")
    try:
        async with (
            Bridge(url) as bridge,
            open_door(app, HOST, 0, is_live=socket.is_live) as (host, port),
            Browser(HONEST).at(f"http://{host}:{port}") as honest,
        ):
            yield Console(port, hub, bridge, honest)
    finally:
        await tasks.close()
        await redis.aclose()


async def _serve_commands(redis: Redis) -> None:
    commands = CommandServer(redis, _refuse_nothing)
    while True:
        await commands.serve_once()
