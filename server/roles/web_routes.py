"""Which routes the web role has: its parts, laid under addresses."""

from aiohttp import web

from server.citizen_door import CitizenDoor
from server.event_answers import EventAnswers
from server.events import Events
from server.evidence import EvidenceMaker
from server.http.app import build_app
from server.http.around_tickets import operations_around_tickets
from server.http.attachment_routes import AttachmentRoutes
from server.http.call_routes import CallRoutes
from server.http.citizen_routes import CitizenRoutes
from server.http.dialplan_routes import DialplanRoutes
from server.http.emergency_routes import EmergencyRoutes
from server.http.event_card_routes import EventCardRoutes
from server.http.event_routes import EventRoutes
from server.http.figure_routes import FigureRoutes
from server.http.follow_up_routes import FollowUpRoutes
from server.http.loopback import DialplanOnly
from server.http.message_routes import MessageRoutes
from server.http.nuisance_routes import NuisanceRoutes
from server.http.own_calls import OwnCalls, desks_in
from server.http.phone_progress_routes import PhoneProgressRoutes
from server.http.public_routes import PublicRoutes
from server.http.queue_routes import QueueRoutes
from server.http.session_routes import SessionRoutes
from server.http.supervision_routes import SupervisionRoutes
from server.http.ticket_door import TicketDoor
from server.http.ticket_routes import TicketRoutes
from server.http.work_order_routes import WorkOrderRoutes
from server.ledger_seals import ledger_folder, signer_of
from server.left_messages import LeftMessages
from server.nuisance_callers import NuisanceCallers
from server.records.call_book import CallBook
from server.records.handovers import Handovers
from server.records.return_calls import ReturnCalls
from server.records.supervision import Acts
from server.records.trunk_tests import TrunkTests
from server.roles.web_parts import Parts
from server.secrets_store import secrets_of
from server.signing import PUBLIC
from server.spoken_progress import SpokenProgress
from tickets.store import TicketStore


def app_of(parts: Parts) -> web.Application:
    """The role's whole HTTP interface."""
    settings, identity = parts.settings, parts.identity
    redis, database = parts.to.redis, parts.to.database
    records, plan = parts.records, parts.plan
    handovers, book = Handovers(database), CallBook(database)
    cards = EventCardRoutes(identity, plan, Events(database), settings.tools)
    only = DialplanOnly(
        frozenset(filter(None, [settings.asterisk_address])),
        secrets_of(settings).read("dialplan"),
    )
    app = build_app(
        public=PublicRoutes(redis, only, parts.admission.current, parts.entry.lay_over),
        sessions=SessionRoutes(parts.sign_in, identity, redis),
        desks=parts.desks,
        calls=CallRoutes(identity, redis, book, settings.agents),
        tickets=TicketRoutes(
            identity, TicketStore(database), records, handovers, book, settings.recordings_dir
        ),
        work_orders=_work_orders(parts, cards),
        emergencies=EmergencyRoutes(identity, redis, handovers, TrunkTests(database)),
        figures=FigureRoutes(
            identity, database, {queue.name: queue.title for queue in plan.queues}
        ),
        supervision=SupervisionRoutes(
            identity,
            redis,
            Acts(database),
            settings.leader_phones,
            is_shown=settings.supervision_shown,
        ),
        queues=QueueRoutes(identity, plan, ReturnCalls(database), records),
        socket=parts.socket,
        trusted_proxies=settings.trusted_proxies,
        more=[
            DialplanRoutes(parts.entry, only),
            parts.phones,
            PhoneProgressRoutes(
                SpokenProgress(CitizenDoor(parts.sign_in, parts.orders, parts.codes)), only
            ),
            _nuisance(parts),
        ],
    )
    app.on_shutdown.append(parts.phones.close)
    app.on_shutdown.append(cards.close)
    return app


def _work_orders(parts: Parts, cards: EventCardRoutes) -> WorkOrderRoutes:
    database, orders = parts.to.database, parts.orders
    door = TicketDoor(parts.identity, database, parts.to.of_units, orders)
    citizens = CitizenRoutes(parts.sign_in, database, orders, parts.codes)
    messages = LeftMessages(database)
    return WorkOrderRoutes(
        door,
        database,
        orders,
        parts.codes,
        OwnCalls(desks_in(parts.to.redis), CallBook(database)),
        [
            *citizens.operations(),
            *AttachmentRoutes(door, database, orders, citizens, parts.files).operations(),
            *FollowUpRoutes(door, database, orders, citizens).operations(),
            *operations_around_tickets(door, database, orders),
            *cards.operations(),
            *_events(parts).operations(),
            *MessageRoutes(
                parts.identity, messages, parts.registrar, ReturnCalls(database)
            ).operations(),
        ],
    )


def _nuisance(parts: Parts) -> NuisanceRoutes:
    settings, database = parts.settings, parts.to.database
    evidence = EvidenceMaker(
        database,
        parts.nuisance,
        recordings=settings.recordings_dir,
        work=settings.home / "evidence",
        signer=signer_of(settings),
        public_key=ledger_folder(settings) / PUBLIC,
    )
    return NuisanceRoutes(
        parts.identity,
        parts.to.redis,
        parts.records,
        parts.nuisance,
        parts.suspensions,
        evidence,
        NuisanceCallers(database),
    )


def _events(parts: Parts) -> EventRoutes:
    events = Events(parts.to.database)
    answers = EventAnswers(parts.to.database, events, parts.orders)
    return EventRoutes(parts.identity, events, answers)
