"""The senders of all channels, run beside the web role's work; any number of web roles may.

Each message is sent by one of them at a time (``base.outbox``). Where nobody is named for a channel
(no gateway, a unit without a system) its messages end here: the facts stand on the pages.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache, partial
from typing import ClassVar, Final

import aiohttp
import structlog

from base.database import Database
from base.errors import SetupError
from base.ids import UnitId
from base.outbox import Deliver, OutboxMessage, Sender, SendingPolicy, Undeliverable
from server.citizen_code import CitizenCodes
from server.outside.cmpp_gateway import CmppGateway
from server.outside.endpoints import SMS_SECRET, Endpoint, Outside
from server.outside.short_messages import ShortMessages, keep_report
from server.outside.ticket_texts import TicketTexts
from server.outside.webhooks import MOST_CONNECTIONS, SignedPosts
from server.secrets_store import secrets_of
from server.settings import Settings
from tickets.messages import TO_CALLER, TO_SUBSCRIBER, TO_UNIT
from tickets.notices import Notices, NoticesInvalid, load_notices
from tickets.work_orders import WorkOrders

log = structlog.get_logger(__name__)

PATIENT: Final = SendingPolicy(most_attempts=150, retry_first_s=5.0)
"""Given up after some 24 hours."""


class SubscriberUnknown(Undeliverable):
    """The settings do not name this subscriber any more."""

    code: ClassVar[str] = "subscriber_unknown"


class UnitMessages:
    """To units' own systems. A unit without one reads its pages: its messages end there."""

    def __init__(self, outside: Outside, posts: SignedPosts, texts: TicketTexts) -> None:
        self._outside = outside
        self._posts = posts
        self._texts = texts

    async def __call__(self, message: OutboxMessage, /) -> None:
        endpoint = self._outside.units.get(UnitId(str(message.payload.get("to"))))
        if endpoint is not None:
            event = await self._texts.to_unit(message.payload)
            event["at"] = message.enqueued_at
            await self._posts.post(endpoint, message.key, event)


async def without_gateway(_message: OutboxMessage) -> None:
    """A centre without a gateway sends no short messages; nothing is kept for a later one."""


class SubscriberMessages:
    """To whoever wants to know how tickets go on."""

    def __init__(self, outside: Outside, posts: SignedPosts) -> None:
        self._outside = outside
        self._posts = posts

    async def __call__(self, message: OutboxMessage, /) -> None:
        endpoint = self._outside.endpoints.get(str(message.payload.get("to")))
        event = message.payload.get("event")
        if endpoint is None or not isinstance(event, dict):
            raise SubscriberUnknown
        await self._posts.post(endpoint, message.key, event)


@asynccontextmanager
async def senders(
    settings: Settings,
    outside: Outside,
    database: Database,
    orders: WorkOrders,
    codes: CitizenCodes,
) -> AsyncIterator[Sender]:
    """The sender of this installation, to be run."""
    secrets = secrets_of(settings)
    texts = TicketTexts(database, orders, codes, notices_of(settings))
    for each in outside.everybody():
        await asyncio.to_thread(secrets.ensure, each.secret_name)

    @cache
    def secret_of(endpoint: Endpoint) -> str:
        return secrets.read(endpoint.secret_name)

    connector = aiohttp.TCPConnector(limit=MOST_CONNECTIONS, limit_per_host=4)
    async with aiohttp.ClientSession(connector=connector) as http:
        posts = SignedPosts(http, secret_of)
        channels: dict[str, Deliver] = {
            TO_UNIT: UnitMessages(outside, posts, texts),
            TO_SUBSCRIBER: SubscriberMessages(outside, posts),
            TO_CALLER: without_gateway,
        }
        if outside.sms is None:
            log.info("sms_without_gateway")
            yield Sender(database, channels, PATIENT)
            return
        gateway = CmppGateway(
            outside.sms, _gateway_secret(settings), partial(keep_report, database)
        )
        channels[TO_CALLER] = ShortMessages(database, gateway, texts)
        try:
            yield Sender(database, channels, PATIENT)
        finally:
            await gateway.close()


def notices_of(settings: Settings) -> "NoticesByPack":
    """The centre's texts, checked now: a wrong one fails the start."""
    made = NoticesByPack(settings)
    made(settings.pack)
    return made


class NoticesByPack:
    """The texts under each pack that a ticket may have begun under."""

    def __init__(self, settings: Settings) -> None:
        self._own = settings.home / "notices.toml"
        self._today = settings.pack
        self._read: dict[str, Notices] = {}

    def __call__(self, pack: str) -> Notices:
        """``pack`` empty: today's, for what belongs to no ticket."""
        pack = pack or self._today
        if pack not in self._read:
            try:
                self._read[pack] = load_notices(pack, self._own)
            except NoticesInvalid as error:
                raise SetupError(str(error), fix=f"mend {self._own}, or remove it") from error
        return self._read[pack]


def _gateway_secret(settings: Settings) -> str:
    """The carrier's; it cannot be made here."""
    secret = secrets_of(settings).read_or_empty(SMS_SECRET)
    if not secret:
        raise SetupError(
            "the settings name an SMS gateway, and its shared secret is not there",
            fix=f"write it into {settings.secrets_dir / SMS_SECRET}, mode 0600",
        )
    return secret
