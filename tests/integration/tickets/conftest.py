"""Work orders on PostgreSQL, with the small city of ``tests.fakes.city`` entered in it."""

import hashlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application

from base.database import Connection, Database
from base.ids import AgentId, UnitId
from routing.queues import Plan, Queue
from rules.library import load_pack
from server.auth import SignIn
from server.citizen_code import CitizenCodes
from server.event_answers import EventAnswers
from server.events import Events
from server.http.around_tickets import operations_around_tickets
from server.http.attachment_routes import AttachmentRoutes
from server.http.citizen_routes import CitizenRoutes
from server.http.event_card_routes import EventCardRoutes
from server.http.event_routes import EventRoutes
from server.http.follow_up_routes import FollowUpRoutes
from server.http.message_routes import MessageRoutes
from server.http.own_calls import OwnCalls
from server.http.problems import problems
from server.http.ticket_door import TicketDoor
from server.http.work_order_routes import WorkOrderRoutes
from server.left_messages import LeftMessages
from server.records.call_book import CallBook
from server.records.return_calls import ReturnCalls
from tests.fakes.city import SHIFTS, UNITS, person
from tests.fakes.work_order import MONDAY_10, WorkOrders, calendar
from tests.fakes.work_order_http import Asking, Clock, Door, HttpBackend
from tests.integration.tickets.sessions import Session
from tickets.attachment_files import AttachmentFiles
from tickets.beginning import Beginning
from tickets.facts import Actor, ActorRole
from tickets.packs import Packs
from tickets.public_moves import Subscriber
from tickets.spool import Registrar, Spool
from tickets.unit_store import add_shift, put_unit
from tickets.work_orders import WorkOrders as Stored

FOUNDED = datetime(2018, 1, 1, tzinfo=UTC)
PLAN = Plan(queues=(Queue(name="hotline", title="12345", numbers=("12345",)),))
SYSTEM = Actor(user=person(9), roles=frozenset({ActorRole.SYSTEM}))


async def _no_desk(agent: AgentId) -> None:
    """Nobody is in a call."""


@pytest.fixture
async def city_founded(owner: Connection) -> None:
    """Units, shifts, and everybody whom ``tests.fakes.city.person`` names."""
    for unit in UNITS:
        await put_unit(owner, unit, FOUNDED)
    for shift in SHIFTS:
        await add_shift(owner, shift)
    people = [(number, "dispatcher", None) for number in range(1, 10)]
    units = [(100 + number, "unit", unit.id) for number, unit in enumerate(UNITS)]
    await owner.executemany(
        "INSERT INTO users (id, username, display_name, role, unit, password_hash)"
        " VALUES ($1, $2, $3, $4, $5, 'none')",
        [(person(n), f"person{n}", f"人员{n}", role, unit) for n, role, unit in people + units],
    )


@pytest.fixture
def subscribers() -> list[Subscriber]:
    """Whom the public moves are told to: a test adds them."""
    return []


@pytest.fixture
def stored(web: Database, subscribers: list[Subscriber]) -> Callable[[str], Stored]:
    """The work orders of a city."""
    return lambda city: Stored(web, Packs(lambda: load_pack(city)), calendar, subscribers)


@pytest.fixture
async def asking(
    city_founded: None,
    stored: Callable[[str], Stored],
    web: Database,
    unit: Database,
    owner: Connection,
    tmp_path: Path,
) -> AsyncIterator[Callable[[str], Awaitable[Asking]]]:
    """The HTTP interface of a city's work orders."""
    async with AsyncExitStack() as stack:

        async def of_city(city: str) -> Asking:
            orders, codes, clock = stored(city), CitizenCodes("test"), Clock()
            citizens = CitizenRoutes(SignIn(web, now=clock), web, orders, codes, clock)
            door = Door()
            at_tickets = TicketDoor(door, web, unit, orders)
            attached = AttachmentRoutes(
                at_tickets, web, orders, citizens, AttachmentFiles(tmp_path / "attachments"), clock
            )
            events = Events(web)
            answers = EventAnswers(web, events, orders, clock)
            begin = Beginning(packs=Packs(lambda: load_pack(city)), calendar=calendar)
            registrar = Registrar(web, Spool(tmp_path / "spool"), begin)
            more = [
                *citizens.operations(),
                *attached.operations(),
                *FollowUpRoutes(at_tickets, web, orders, citizens, clock).operations(),
                *operations_around_tickets(at_tickets, web, orders, clock),
                *EventCardRoutes(door, PLAN, events, tmp_path).operations(),
                *EventRoutes(door, events, answers).operations(),
                *MessageRoutes(door, LeftMessages(web), registrar, ReturnCalls(web)).operations(),
            ]
            calls = OwnCalls(_no_desk, CallBook(web))
            routes = WorkOrderRoutes(at_tickets, web, orders, codes, calls, more, clock)
            app = Application(middlewares=[problems])
            app.add_routes(routes.routes())
            http = await stack.enter_async_context(TestClient(TestServer(app)))
            return Asking(http, owner, clock, routes.operations)

        yield of_city


@pytest.fixture
def hotline(asking: Callable[[str], Awaitable[Asking]]) -> Callable[[str], WorkOrders]:
    """The driver over HTTP on PostgreSQL, for a city."""
    return lambda city: WorkOrders(HttpBackend(lambda: asking(city)), city, MONDAY_10)


@pytest.fixture
async def sign_in(
    city_founded: None, owner: Connection, unit: Database
) -> Callable[[UnitId], Session]:
    tokens: dict[str, str] = {}
    for row in await owner.fetch("SELECT id, unit FROM users WHERE unit IS NOT NULL"):
        token = tokens[row["unit"]] = secrets.token_urlsafe(32)
        await owner.execute(
            "INSERT INTO sessions (token_hash, user_id, expires_at) VALUES ($1, $2, $3)",
            hashlib.sha256(token.encode()).digest(),
            row["id"],
            datetime.now(UTC) + timedelta(hours=1),
        )
    return lambda name: Session(unit, tokens[name])
