"""What the web role is made of: each part made once, from the settings and its connections."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from redis.asyncio import Redis

from base.database import Database
from base.ids import AgentId
from routing.queues import Plan
from server.admission_book import AdmissionBook
from server.auth import SignIn
from server.citizen_code import CitizenCodes
from server.city import city_beginning, city_pack, work_orders
from server.http.desk_routes import DeskRoutes
from server.http.identity import Identity
from server.http.phone_routes import PhoneRoutes
from server.nuisance import NuisanceDesk
from server.nuisance_entry import NuisanceEntry
from server.outside.endpoints import Outside, read_outside
from server.push.hub import Hub
from server.push.socket import PushSocket
from server.queue_file import plan_of
from server.records.postgres import PostgresRecords
from server.secrets_store import secrets_of
from server.settings import Settings
from server.suspensions import SuspensionBook
from server.throttle import Throttle
from tickets.attachment_files import AttachmentFiles
from tickets.spool import Registrar, Spool
from tickets.work_orders import WorkOrders


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """What the role talks to."""

    redis: Redis
    database: Database
    of_units: Database
    """The database's own login for people of units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What more than one route or task works with."""

    settings: Settings
    to: Connections
    plan: Plan
    outside: Outside
    sign_in: SignIn
    identity: Identity
    records: PostgresRecords
    registrar: Registrar
    orders: WorkOrders
    codes: CitizenCodes
    files: AttachmentFiles
    admission: AdmissionBook
    suspensions: SuspensionBook
    nuisance: NuisanceDesk
    entry: NuisanceEntry
    hub: Hub
    socket: PushSocket
    desks: DeskRoutes
    phones: PhoneRoutes


async def build_parts(settings: Settings, to: Connections) -> Parts:
    """Make them, in order."""
    sign_in = SignIn(to.database)
    identity = Identity(sign_in)
    records = PostgresRecords(to.database)
    registrar = Registrar(to.database, Spool(spool_folder(settings)), city_beginning(settings))
    outside = await asyncio.to_thread(read_outside, settings.outside_file)
    files = AttachmentFiles(settings.attachments_dir)
    await asyncio.to_thread(files.sweep_incoming)
    plan = plan_of(settings)
    suspensions = SuspensionBook(to.database)
    nuisance = NuisanceDesk(to.database, city_pack(settings))
    throttle = Throttle(to.redis, settings.throttle.rates, secrets_of(settings).read("number_key"))
    hub = Hub(to.redis)
    return Parts(
        settings=settings,
        to=to,
        plan=plan,
        outside=outside,
        sign_in=sign_in,
        identity=identity,
        records=records,
        registrar=registrar,
        orders=work_orders(settings, to.database, outside.subscribers),
        codes=CitizenCodes(secrets_of(settings).read("citizen_codes")),
        files=files,
        admission=AdmissionBook(plan, to.database),
        suspensions=suspensions,
        nuisance=nuisance,
        entry=NuisanceEntry(to.database, nuisance, suspensions, throttle),
        hub=hub,
        socket=PushSocket(identity, hub, to.redis),
        desks=DeskRoutes(identity, to.redis, registrar, records),
        phones=page_phones(settings, identity),
    )


def page_phones(settings: Settings, identity: Identity) -> PhoneRoutes:
    """The way of pages that are phones to Asterisk."""
    return PhoneRoutes(
        identity,
        secrets={
            AgentId(phone): secrets_of(settings).read(f"sip-{phone}")
            for phone in settings.page_phones
        },
        asterisk_url=page_phone_url(settings),
    )


def page_phone_url(settings: Settings) -> str:
    """Asterisk's websocket for pages that are phones."""
    host = settings.asterisk_address or settings.service_host
    return f"http://{host}:{settings.ports.asterisk_http}/ws"


def spool_folder(settings: Settings) -> Path:
    """Where confirmations wait while PostgreSQL is away."""
    return settings.home / "spool"
