"""The carrier's gateway over one CMPP link, made when it is needed and kept.

At most ``WINDOW`` packets wait for their answers. What was written and not answered in time, or
lost with the link, is ``OutcomeUnknown``: the protocol has no key by which a gateway could tell a
second attempt from a second message, so nothing of it may be sent again by itself.
"""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from base.task_set import TaskSet
from server.outside import cmpp
from server.outside.cmpp import Command, Malformed, Packet, Report
from server.outside.endpoints import SmsSettings
from server.outside.sms_gateway import (
    GatewayAway,
    GatewayRefused,
    GatewayThrottled,
    OutcomeUnknown,
    ReportTooEarly,
)

log = structlog.get_logger(__name__)

CONNECT_S: Final = 5.0
ANSWER_S: Final = 6.0
RESTS_S: Final = 5.0
"""A gateway that could not be reached is left alone for so long: a batch waits for it once."""
QUIET_S: Final = 60.0
"""After so long without a packet the link is tried."""
PATIENCE_S: Final = 6.0
"""How long a text of which a part is out may take, throttled, until the rest is given up: within
the ten seconds of a delivery."""
THROTTLED_PAUSE_S: Final = 0.5
WINDOW: Final = 16
MOST_REPORTS: Final = 256
"""Overflow rule: what does not fit is not acknowledged, and the gateway says it again."""
_SHANGHAI: Final = ZoneInfo("Asia/Shanghai")

OnReport = Callable[[Report], Awaitable[None]]


class CmppGateway:
    """One account at one gateway."""

    def __init__(
        self,
        settings: SmsSettings,
        secret: str,
        on_report: OnReport,
        *,
        answer_s: float = ANSWER_S,
        rests_s: float = RESTS_S,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._settings = settings
        self._secret = secret
        self._on_report = on_report
        self._answer_s = answer_s
        self._rests_s = rests_s
        self._patience_s = patience_s
        self._rests_until = 0.0
        self._link: _Link | None = None
        self._making = asyncio.Lock()
        self._references = itertools.count()

    async def ready(self) -> None:
        await self._stands()

    async def submit(self, to: str, text: str) -> list[str]:
        link = await self._stands()
        taken: list[str] = []
        until = time.monotonic() + self._patience_s
        for part in cmpp.parts_of(text, next(self._references)):
            body = cmpp.submit_body(
                part,
                to,
                account=self._settings.account,
                number=self._settings.number,
                service=self._settings.service,
            )
            try:
                message, result = await self._ask_for(link, body)
                while result == cmpp.THROTTLED and taken and time.monotonic() < until:
                    await asyncio.sleep(THROTTLED_PAUSE_S)
                    message, result = await self._ask_for(link, body)
            except GatewayAway as error:
                if taken:
                    raise OutcomeUnknown(part=part.number) from error
                raise
            except Malformed as error:
                raise OutcomeUnknown(part=part.number) from error
            if result and taken:
                raise OutcomeUnknown(part=part.number)  # a part of it is with the citizen
            if result == cmpp.THROTTLED:
                raise GatewayThrottled
            if result:
                raise GatewayRefused(result=result)
            taken.append(message)
        return taken

    async def _ask_for(self, link: "_Link", body: bytes) -> tuple[str, int]:
        return cmpp.read_submit_resp(await link.ask(Command.SUBMIT, body, self._answer_s))

    async def close(self) -> None:
        if self._link is not None:
            await self._link.close(is_polite=True)

    async def _stands(self) -> "_Link":
        async with self._making:
            if self._link is not None and self._link.is_lost:
                await self._link.close()
                self._link = None
            if self._link is None:
                if time.monotonic() < self._rests_until:
                    raise GatewayAway(cause="resting")
                try:
                    self._link = await self._connected()
                except GatewayAway:
                    self._rests_until = time.monotonic() + self._rests_s
                    raise
            return self._link

    async def _connected(self) -> "_Link":
        host, port = self._settings.address
        try:
            async with asyncio.timeout(CONNECT_S):
                reader, writer = await asyncio.open_connection(host, port)
        except (OSError, TimeoutError) as error:
            raise GatewayAway(cause=type(error).__name__) from error
        link = _Link(reader, writer, self._on_report)
        try:
            await self._sign_in(link)
        except BaseException:
            await link.close()
            raise
        log.info("sms_gateway_connected", host=host, port=port)
        return link

    async def _sign_in(self, link: "_Link") -> None:
        """Each side proves to the other that it knows the secret."""
        body = cmpp.connect_body(self._settings.account, self._secret, datetime.now(_SHANGHAI))
        try:
            answer = await link.ask(Command.CONNECT, body, CONNECT_S)
            status, proof = cmpp.read_connect_resp(answer)
        except (OutcomeUnknown, Malformed) as error:
            raise GatewayAway(cause=type(error).__name__) from error
        is_proved = proof == cmpp.gateway_proof(status, body[6:22], self._secret)
        if status or not is_proved:
            log.error("sms_gateway_refuses_us", status=status, is_proved=is_proved)
            raise GatewayAway(status=status)


class _Link:
    """One connection: packets out, answers to those who wait, reports on."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, on_report: OnReport
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._on_report = on_report
        self._sequences = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        self._window = asyncio.Semaphore(WINDOW)
        self._reports: asyncio.Queue[tuple[int, bytes, Report | None]] = asyncio.Queue(MOST_REPORTS)
        self.is_lost = False
        self._tasks = TaskSet("cmpp")
        self._tasks.spawn(self._read(), name="read")
        self._tasks.spawn(self._tell_reports(), name="reports")

    async def ask(self, command: Command, body: bytes, answer_s: float) -> bytes:
        """The body of the answer; ``OutcomeUnknown`` where none came."""
        async with self._window:
            if self.is_lost:
                raise GatewayAway
            sequence = next(self._sequences) & 0xFFFFFFFF
            answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
            self._waiting[sequence] = answer
            try:
                self._write(Packet(command=command, sequence=sequence, body=body))
                async with asyncio.timeout(answer_s):
                    await self._writer.drain()
                    return await answer
            except (TimeoutError, OSError, _LinkLost) as error:
                raise OutcomeUnknown(cause=type(error).__name__) from error
            finally:
                self._waiting.pop(sequence, None)

    async def close(self, *, is_polite: bool = False) -> None:
        if is_polite and not self.is_lost:
            with suppress(OutcomeUnknown, GatewayAway):
                await self.ask(Command.TERMINATE, b"", 1.0)
        self._lose()
        await self._tasks.close()

    def _write(self, packet: Packet) -> None:
        self._writer.write(packet.encoded())

    def _lose(self) -> None:
        self.is_lost = True
        self._writer.close()
        for each in self._waiting.values():
            if not each.done():
                each.set_exception(_LinkLost())

    async def _read(self) -> None:
        try:
            while True:
                packet = await self._next()
                if packet is None:
                    self._tasks.spawn(self._try_link(), name="test")
                else:
                    self._take(packet)
        except (OSError, asyncio.IncompleteReadError, Malformed) as error:
            log.warning("sms_gateway_lost", cause=type(error).__name__)
        finally:
            self._lose()

    async def _next(self) -> Packet | None:
        """The next packet; None: it has been quiet for long."""
        try:
            async with asyncio.timeout(QUIET_S):
                header = await self._reader.readexactly(cmpp.HEADER.size)
        except TimeoutError:
            return None
        length, command, sequence = cmpp.read_header(header)
        try:
            async with asyncio.timeout(ANSWER_S):
                body = await self._reader.readexactly(length)
        except TimeoutError as error:
            raise Malformed("a packet that does not end") from error
        return Packet(command=command, sequence=sequence, body=body)

    def _take(self, packet: Packet) -> None:
        match packet.command:
            case (
                Command.SUBMIT_RESP
                | Command.CONNECT_RESP
                | Command.ACTIVE_TEST_RESP
                | Command.TERMINATE_RESP
            ):
                answer = self._waiting.get(packet.sequence)
                if answer is not None and not answer.done():
                    answer.set_result(packet.body)
            case Command.DELIVER:
                message, report = cmpp.read_deliver(packet.body)
                with suppress(asyncio.QueueFull):
                    self._reports.put_nowait((packet.sequence, message, report))
            case Command.ACTIVE_TEST:
                answered = Command.ACTIVE_TEST_RESP
                self._write(Packet(command=answered, sequence=packet.sequence, body=b"\0"))
            case Command.TERMINATE:
                answered = Command.TERMINATE_RESP
                self._write(Packet(command=answered, sequence=packet.sequence))
                raise ConnectionResetError
            case _:
                log.info("sms_packet_unknown", command=packet.command)

    async def _tell_reports(self) -> None:
        """One after the other; acknowledged once it is kept, else the gateway says it again."""
        while True:
            sequence, message, report = await self._reports.get()
            if report is None:
                log.info("sms_received_unread")  # nobody reads messages to us yet
            else:
                try:
                    await self._on_report(report)
                except ReportTooEarly:
                    log.info("sms_report_too_early")
                    continue
                except Exception:
                    log.exception("sms_report_not_kept")
                    continue
            body = cmpp.deliver_resp_body(message)
            self._write(Packet(command=Command.DELIVER_RESP, sequence=sequence, body=body))

    async def _try_link(self) -> None:
        with suppress(GatewayAway):
            try:
                await self.ask(Command.ACTIVE_TEST, b"", ANSWER_S)
            except OutcomeUnknown:
                self._lose()


class _LinkLost(Exception):
    """The link ended before the answer came."""
