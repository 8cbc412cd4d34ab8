"""The operations around the work order: proposals, oversight, studies, outages, parties."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from base.database import Database
from server.http.data_routes import DataRoutes
from server.http.dispatch_routes import DispatchRoutes
from server.http.operations import Operation
from server.http.outage_routes import OutageRoutes
from server.http.oversight_routes import OversightRoutes
from server.http.party_routes import PartyRoutes
from server.http.study_routes import StudyRoutes
from server.http.ticket_door import TicketDoor
from tickets.work_orders import WorkOrders

FAMILIES: Final = (
    DispatchRoutes,
    OversightRoutes,
    StudyRoutes,
    OutageRoutes,
    DataRoutes,
    PartyRoutes,
)


def operations_around_tickets(
    door: TicketDoor,
    database: Database,
    orders: WorkOrders,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> list[Operation]:
    families = (family(door, database, orders, now) for family in FAMILIES)
    return [operation for family in families for operation in family.operations()]
