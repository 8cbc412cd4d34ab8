"""Short messages to callers: text and number looked up, sent once, and what became of them.

An attempt is written down before it goes on the wire and marked after. What stands between the two
when an attempt comes again (we died, or no answer came) may have arrived: it is given up for a
person to look at, never sent twice by a machine.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar, Final

import structlog

from base.database import Database
from base.outbox import OutboxMessage, Undeliverable
from base.sql_files import load_sql
from server.outside.cmpp import Report
from server.outside.sms_gateway import (
    GatewayAway,
    GatewayRefused,
    GatewayThrottled,
    OutcomeUnknown,
    ReportTooEarly,
    SmsGateway,
)
from server.outside.ticket_texts import TicketTexts
from tickets.messages import mobile_of

log = structlog.get_logger(__name__)

SQL = load_sql(Path(__file__).parents[1] / "sql" / "short_messages")
TOO_LATE: Final = timedelta(hours=24)
"""A notice so old would mislead: the ticket has gone on."""


class TooLate(Undeliverable):
    """The message waited too long to be of use."""

    code: ClassVar[str] = "sms_too_late"


class MayHaveArrived(Undeliverable):
    """An earlier attempt went out and was not answered; a person decides about another."""

    code: ClassVar[str] = "sms_outcome_unknown"


class Refused(Undeliverable):
    """The gateway will not take it."""

    code: ClassVar[str] = "sms_refused"


class ShortMessages:
    """The outbox's channel to callers."""

    def __init__(self, database: Database, gateway: SmsGateway, texts: TicketTexts) -> None:
        self._database = database
        self._gateway = gateway
        self._texts = texts

    async def __call__(self, message: OutboxMessage, /) -> None:
        state = await self._database.fetchval(SQL["state_of_short_message"], message.key)
        if state == "taken":
            return
        if state == "on_the_wire":
            raise MayHaveArrived
        if datetime.now(UTC) - message.enqueued_at > TOO_LATE:
            raise TooLate
        number, text = await self._texts.to_caller(message.payload)
        mobile = mobile_of(number)
        if mobile is None:
            log.info("sms_no_mobile", message=message.id)
            return  # a landline: as with a unit without a system, nobody is waiting for it
        await self._gateway.ready()
        if await self._database.fetchval(SQL["claim_short_message"], message.key) is None:
            raise MayHaveArrived  # another sender has just claimed it
        await self._submit(message.key, mobile, text)

    async def _submit(self, key: str, mobile: str, text: str) -> None:
        try:
            taken = await self._gateway.submit(mobile, text)
        except OutcomeUnknown as error:
            raise MayHaveArrived from error
        except GatewayRefused as error:
            await self._database.execute(SQL["short_message_not_taken"], key)
            log.warning("sms_refused", **error.params)
            raise Refused from error
        except (GatewayAway, GatewayThrottled):
            await self._database.execute(SQL["short_message_not_taken"], key)
            raise
        await self._database.execute(SQL["short_message_taken"], key, taken)


async def keep_report(database: Database, report: Report) -> None:
    """What the gateway says became of a message; ``ReportTooEarly`` where that is not written yet.

    The gateway's answer and its report come close together, and the report may be read first.
    """
    key = await database.fetchval(SQL["report_short_message"], report.message, report.state)
    if key is None and await database.fetchval(SQL["is_on_the_wire"]):
        raise ReportTooEarly


async def allow_again(database: Database, keys: list[str]) -> None:
    """Whoever sends again what may have arrived has decided so."""
    await database.execute(SQL["allow_again"], keys)
