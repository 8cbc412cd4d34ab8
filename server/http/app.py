"""Puts the routes together."""

from collections.abc import Sequence
from typing import Protocol

from aiohttp import web

from server.http.call_routes import CallRoutes
from server.http.client_address import TrustedProxies, as_from_the_client
from server.http.desk_routes import DeskRoutes
from server.http.emergency_routes import EmergencyRoutes
from server.http.figure_routes import FigureRoutes
from server.http.page import add_page, add_security_headers
from server.http.problems import MOST_BODY_BYTES, problems
from server.http.public_routes import PublicRoutes
from server.http.queue_routes import QueueRoutes
from server.http.session_routes import SessionRoutes
from server.http.supervision_routes import SupervisionRoutes
from server.http.ticket_routes import TicketRoutes
from server.http.work_order_routes import WorkOrderRoutes
from server.push.socket import PushSocket


class Part(Protocol):
    """Some addresses with what answers them."""

    def routes(self) -> list[web.RouteDef]: ...


def build_app(
    *,
    public: PublicRoutes,
    sessions: SessionRoutes,
    desks: DeskRoutes,
    calls: CallRoutes,
    tickets: TicketRoutes,
    emergencies: EmergencyRoutes,
    figures: FigureRoutes,
    supervision: SupervisionRoutes,
    queues: QueueRoutes,
    work_orders: WorkOrderRoutes,
    socket: PushSocket,
    more: Sequence[Part] = (),
    trusted_proxies: Sequence[str] = (),
) -> web.Application:
    """The whole HTTP interface; ``more``: what not every test's console has."""
    app = web.Application(
        middlewares=[as_from_the_client(TrustedProxies(trusted_proxies)), problems],
        client_max_size=MOST_BODY_BYTES,
    )
    parts: list[Part] = [
        public,
        sessions,
        desks,
        calls,
        tickets,
        work_orders,
        emergencies,
        figures,
        supervision,
        queues,
        socket,
        *more,
    ]
    for part in parts:
        app.router.add_routes(part.routes())
    add_page(app)
    app.on_response_prepare.append(add_security_headers)
    app.on_shutdown.append(socket.close)
    return app
