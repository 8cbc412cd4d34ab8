"""What operations around tickets stand on: who asks, the records, the rules, the time."""

from collections.abc import Callable
from datetime import UTC, datetime

from base.database import Database
from server.http.ticket_door import TicketDoor
from tickets.work_orders import WorkOrders


class TicketFamily:
    """A family of operations beside the work order's own."""

    def __init__(
        self,
        door: TicketDoor,
        database: Database,
        orders: WorkOrders,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._door = door
        self._database = database
        self._orders = orders
        self._now = now
