"""A scripted phone: its socket, its registration, its transactions, its calls.

One UDP socket a phone. Requests are repeated until something answers (RFC 3261 timers A and E);
repeated requests get the response they got before.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Self

import structlog

from base.task_set import TaskSet
from telephony.phone import digest, sip
from telephony.phone.call import CallState, PhoneCall, RingPolicy, ignore
from telephony.phone.errors import PhoneError
from telephony.phone.rtp import RtpStream
from telephony.phone.sip import Address, SipMessage
from telephony.phone.sound import Sound

log = structlog.get_logger(__name__)

FIRST_RESEND_S = 0.5
MOST_RESEND_S = 4.0
REQUEST_TIMEOUT_S = 8.0
INVITE_TIMEOUT_S = 300.0
REMEMBERED_RESPONSES = 64
RESPONSES_WAITING = 32
STOP_TIMEOUT_S = 5.0
REFRESH_SHARE = 0.8


class Phone(asyncio.DatagramProtocol):
    """A citizen (no password: known by address), an agent's phone, or an exchange."""

    def __init__(
        self,
        local: Address,
        server: Address,
        user: str,
        *,
        password: str | None = None,
        display_name: str = "",
    ) -> None:
        self.user = user
        self.display_name = display_name
        self.calls: list[PhoneCall] = []
        """Calls that have not ended."""
        self.past_calls: list[PhoneCall] = []
        self._local, self._server = local, server
        self._password = password
        self._transport: asyncio.DatagramTransport | None = None
        self._tasks = TaskSet(f"phone-{local[0]}")
        self._pending: dict[tuple[str, str], asyncio.Queue[SipMessage]] = {}
        self._answered: OrderedDict[tuple[str, str], SipMessage] = OrderedDict()
        self._policy: RingPolicy = ignore()
        self._ringing: asyncio.Queue[PhoneCall] = asyncio.Queue(maxsize=RESPONSES_WAITING)
        self._registered_as: str | None = None
        self._registers = 0

    # ---------------------------------------------------------------- for scripts

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, local_addr=self._local)

    async def stop(self) -> None:
        """Hang up everything, sign off, close."""
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                for call in list(self.calls):
                    await call.hangup()
                if self._registered_as is not None:
                    await self._send_register(0)
        except (TimeoutError, PhoneError) as error:
            log.warning("phone_stopped_hard", reason=str(error))
        await self._tasks.close()
        for call in [*self.calls, *self.past_calls]:
            await call.close()
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def address(self) -> Address:
        if self._transport is None:
            raise PhoneError("the phone is not started")
        name = self._transport.get_extra_info("sockname")
        return name[0], name[1]

    async def register(self, *, expires_s: int = 120) -> None:
        """Register and stay so; PhoneError where the server refuses."""
        await self._send_register(expires_s)
        self._tasks.spawn(self._stay_registered(expires_s), name="register")

    async def call(self, number: str, *, play: Sound | None = None) -> PhoneCall:
        """Call ``number``; returns while it is still ringing. ``play`` is said once connected."""
        media = await RtpStream.open(self._local[0])
        call = PhoneCall(self, media, CallState.CALLING, number=number)
        self.calls.append(call)
        if play is not None:
            call.play(play)
        host, port = self._server
        from_header = f"{self._quoted_name()}<sip:{self.user}@{self.address[0]}>"
        self._tasks.spawn(call.place(f"sip:{number}@{host}:{port}", from_header), name="call")
        return call

    def on_ring(self, policy: RingPolicy) -> None:
        """What to do from now on when it rings; until set, it rings and nobody answers."""
        self._policy = policy

    async def until_ringing(self, timeout_s: float) -> PhoneCall:
        """The next call that comes in."""
        try:
            async with asyncio.timeout(timeout_s):
                return await self._ringing.get()
        except TimeoutError:
            raise PhoneError("the phone did not ring", user=self.user) from None

    # ---------------------------------------------------------------- for its calls (Line)

    @property
    def contact(self) -> str:
        host, port = self.address
        return f"<sip:{self.user}@{host}:{port}>"

    def build(
        self, method: str, uri: str, headers: sip.Headers, body: bytes = b"", *, branch: str = ""
    ) -> SipMessage:
        host, port = self.address
        via = f"SIP/2.0/UDP {host}:{port};rport;branch={branch or sip.new_branch()}"
        allow = "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, INFO, NOTIFY, REFER"
        start = [("via", via), ("max-forwards", "70")]
        return SipMessage(f"{method} {uri} SIP/2.0", [*start, *headers, ("allow", allow)], body)

    def send(self, message: SipMessage) -> None:
        if message.is_response:
            self._remember(message)
        if self._transport is not None:
            self._transport.sendto(message.encode(), self._server)

    async def request(
        self, message: SipMessage, on_provisional: Callable[[SipMessage], None] | None = None
    ) -> SipMessage:
        """Send and wait for the final response, with the password where it is asked for."""
        response = await self._transact(message, on_provisional)
        if response.status not in (401, 407) or self._password is None:
            return response
        return await self._transact(self._with_password(message, response), on_provisional)

    def ended(self, call: PhoneCall) -> None:
        if call in self.calls:
            self.calls.remove(call)
            self.past_calls.append(call)
            self._tasks.spawn(call.close(), name="close")

    # ---------------------------------------------------------------- asyncio

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def error_received(self, exc: Exception) -> None:
        log.debug("phone_socket_error", reason=str(exc))

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        try:
            message = sip.parse(data)
            if message.is_response:
                self._handle_response(message)
            else:
                self._handle_request(message)
        except PhoneError as error:
            log.warning("phone_ignored_datagram", reason=str(error), size_bytes=len(data))

    # ---------------------------------------------------------------- inside

    def _handle_response(self, response: SipMessage) -> None:
        waiting = self._pending.get((response.branch, response.method))
        if waiting is not None:
            if not waiting.full():  # overflow: a repeated provisional is of no use
                waiting.put_nowait(response)
        elif response.method == "INVITE" and 200 <= response.status < 300:
            for call in [*self.calls, *self.past_calls]:
                if call.call_id == response.call_id:
                    call.acknowledge(response)

    def _handle_request(self, request: SipMessage) -> None:
        if (before := self._answered.get((request.branch, request.method))) is not None:
            self.send(before)
            return
        call = next((each for each in self._all_calls() if each.call_id == request.call_id), None)
        if call is not None:
            call.handle(request)
        elif request.method == "INVITE":
            self._tasks.spawn(self._ring(request), name="ring")
        elif request.method in ("OPTIONS", "NOTIFY"):
            self.send(sip.respond(request, 200, "OK", to_tag=sip.new_tag()))
        elif request.method != "ACK":
            self.send(sip.respond(request, 481, "Call Does Not Exist", to_tag=sip.new_tag()))

    def _all_calls(self) -> list[PhoneCall]:
        return [*self.calls, *reversed(self.past_calls)]

    async def _ring(self, invite: SipMessage) -> None:
        # Remembered before the first await, so that a repeated INVITE does not ring twice.
        self.send(sip.respond(invite, 100, "Trying"))
        media = await RtpStream.open(self._local[0])
        caller = sip.user_of(invite.need("from"))
        call = PhoneCall(self, media, CallState.RINGING, number=caller)
        self.calls.append(call)
        call.arrive(invite)
        if not self._ringing.full():  # overflow: nobody waits for these
            self._ringing.put_nowait(call)
        await self._policy(call)

    def _remember(self, response: SipMessage) -> None:
        self._answered[(response.branch, response.method)] = response
        while len(self._answered) > REMEMBERED_RESPONSES:
            self._answered.popitem(last=False)

    async def _transact(
        self, message: SipMessage, on_provisional: Callable[[SipMessage], None] | None
    ) -> SipMessage:
        key = (message.branch, message.method)
        waiting: asyncio.Queue[SipMessage] = asyncio.Queue(maxsize=RESPONSES_WAITING)
        self._pending[key] = waiting
        is_invite = message.method == "INVITE"
        try:
            response = await self._first_response(message, waiting)
            async with asyncio.timeout(INVITE_TIMEOUT_S if is_invite else REQUEST_TIMEOUT_S):
                while response.status < 200:
                    if on_provisional is not None:
                        on_provisional(response)
                    response = await waiting.get()
        except TimeoutError:
            raise PhoneError("the server does not answer", method=message.method) from None
        finally:
            del self._pending[key]
        if is_invite and response.status >= 300:
            self._acknowledge_refusal(message, response)
        return response

    async def _first_response(
        self, message: SipMessage, waiting: asyncio.Queue[SipMessage]
    ) -> SipMessage:
        wait_s, left_s = FIRST_RESEND_S, REQUEST_TIMEOUT_S
        while left_s > 0:
            self.send(message)
            try:
                async with asyncio.timeout(wait_s):
                    return await waiting.get()
            except TimeoutError:
                left_s -= wait_s
                wait_s = min(wait_s * 2, MOST_RESEND_S)
        raise TimeoutError

    def _acknowledge_refusal(self, invite: SipMessage, response: SipMessage) -> None:
        """The ACK of a refusal belongs to the INVITE's own transaction: same branch."""
        uri = invite.start_line.split(" ")[1]
        headers = [
            ("via", invite.need("via")),
            ("max-forwards", "70"),
            ("from", invite.need("from")),
            ("to", response.need("to")),
            ("call-id", invite.call_id),
            ("cseq", f"{invite.cseq[0]} ACK"),
        ]
        self.send(SipMessage(f"ACK {uri} SIP/2.0", headers))

    def _with_password(self, message: SipMessage, response: SipMessage) -> SipMessage:
        uri = message.start_line.split(" ")[1]
        is_proxy = response.status == 407
        authorization = digest.answer(
            response.all("proxy-authenticate" if is_proxy else "www-authenticate"),
            method=message.method,
            uri=uri,
            user=self.user,
            password=self._password or "",
        )
        headers = [pair for pair in message.headers if pair[0] not in ("via", "cseq")]
        headers.append(("cseq", f"{message.cseq[0] + 1} {message.method}"))
        headers.append(("proxy-authorization" if is_proxy else "authorization", authorization))
        again = self.build(
            message.method,
            uri,
            [pair for pair in headers if pair[0] not in ("max-forwards", "allow")],
            message.body,
        )
        if message.method == "INVITE":
            for call in self.calls:
                if call.call_id == message.call_id:
                    call.retried(again)
        return again

    async def _send_register(self, expires_s: int) -> None:
        host, port = self._server
        identity = self._registered_as or sip.new_tag() + sip.new_tag()
        whom = f"<sip:{self.user}@{host}>"
        headers = [
            ("from", f"{whom};tag={sip.new_tag()}"),
            ("to", whom),
            ("call-id", identity),
            ("cseq", f"{self._next_register()} REGISTER"),
            ("contact", self.contact),
            ("expires", str(expires_s)),
        ]
        response = await self.request(self.build("REGISTER", f"sip:{host}:{port}", headers))
        if response.status != 200:
            raise PhoneError("registration was refused", user=self.user, status=response.status)
        self._registered_as = identity if expires_s else None

    def _next_register(self) -> int:
        self._registers += 2  # one more is spent on the answer to the challenge
        return self._registers

    async def _stay_registered(self, expires_s: int) -> None:
        while True:
            await asyncio.sleep(expires_s * REFRESH_SHARE)
            try:
                await self._send_register(expires_s)
            except PhoneError as error:
                log.warning("phone_registration_lost", user=self.user, reason=str(error))

    def _quoted_name(self) -> str:
        return f'"{self.display_name}" ' if self.display_name else ""
