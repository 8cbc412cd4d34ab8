"""One call of a scripted phone: its dialogue, its audio, and how a ringing phone behaves."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Protocol

from telephony.phone import sdp, sip
from telephony.phone.errors import PhoneError
from telephony.phone.rtp import RtpStats, RtpStream
from telephony.phone.sip import SipMessage
from telephony.phone.sound import Samples, Sound, load_sound

ANSWER_RESEND_S = 0.5
ANSWER_RESENDS = 10
HANG_UP_TIMEOUT_S = 4.0
_REASONS = {
    200: "OK",
    180: "Ringing",
    486: "Busy Here",
    480: "Temporarily Unavailable",
    487: "Request Terminated",
    503: "Service Unavailable",
    603: "Decline",
}


class CallState(StrEnum):
    """How far a call of this phone is."""

    CALLING = "calling"
    """We called; nobody has answered."""
    RINGING = "ringing"
    """They called; we have not answered."""
    UP = "up"
    """Connected. Of a call to us: we have said so, and the other side may not have taken it yet."""
    ENDED = "ended"
    """Over; ``end_status`` says how."""


class Line(Protocol):
    """What a call needs of its phone."""

    @property
    def contact(self) -> str: ...

    def send(self, message: SipMessage) -> None: ...

    async def request(
        self, message: SipMessage, on_provisional: Callable[[SipMessage], None] | None = None
    ) -> SipMessage: ...

    def build(
        self, method: str, uri: str, headers: sip.Headers, body: bytes = b"", *, branch: str = ""
    ) -> SipMessage: ...

    def ended(self, call: "PhoneCall") -> None: ...


class PhoneCall:
    """Made by ``Phone.call`` or by an incoming INVITE; dropped by the phone when it ends."""

    def __init__(self, line: Line, media: RtpStream, state: CallState, *, number: str) -> None:
        self.state = state
        self.number = number
        """Whom we called, or who calls us."""
        self.name = ""
        """The caller's display name."""
        self.asserted = ""
        """Of an incoming call, what its P-Asserted-Identity says."""
        self.dialled = number if state is CallState.CALLING else ""
        """The number asked for; of an incoming call, what the INVITE is addressed to."""
        self.end_status = 0
        """200: somebody hung up; else the SIP status that refused the call."""
        self.ended_by_us = False
        self.statuses: list[int] = []
        """Provisional answers seen, e.g. 180."""
        self.media = media
        self._line = line
        self._changed = asyncio.Event()
        self._invite: SipMessage | None = None
        self._acked = asyncio.Event()
        self._transferred = asyncio.Event()
        self._last_ack: SipMessage | None = None
        self._call_id = ""
        self._local = ""
        self._remote = ""
        self._target = ""
        self._cseq = 0
        self._sdp_version = 1
        self._is_callee = state is CallState.RINGING

    # ---------------------------------------------------------------- for scripts

    @property
    def call_id(self) -> str:
        """SIP's Call-ID."""
        return self._call_id

    @property
    def heard_pcm(self) -> Samples:
        return self.media.heard_pcm

    @property
    def stats(self) -> RtpStats:
        return self.media.stats

    def play(self, sound: Sound) -> None:
        """Queue ``sound``; returns at once."""
        self.media.play(load_sound(sound))

    async def say(self, sound: Sound) -> None:
        """Play ``sound`` and wait until it has been said (or the call has ended)."""
        self.play(sound)
        await self.media.until_played()

    def send_digit(self, digit: str) -> None:
        self.media.send_digit(digit)

    async def until(self, *states: CallState, timeout_s: float) -> None:
        """Wait for one of ``states``; PhoneError on timeout or where it ended instead."""
        try:
            async with asyncio.timeout(timeout_s):
                while self.state not in states:
                    if self.state is CallState.ENDED:
                        raise PhoneError("the call ended", status=self.end_status)
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise PhoneError("the call did not get so far", state=self.state.value) from None

    async def until_answered(self, timeout_s: float) -> None:
        await self.until(CallState.UP, timeout_s=timeout_s)

    async def until_ended(self, timeout_s: float) -> None:
        await self.until(CallState.ENDED, timeout_s=timeout_s)

    async def answer(self) -> None:
        """Answer a ringing call and wait for the ACK."""
        if self.state is not CallState.RINGING or self._invite is None:
            return
        body = self._answer_body(self._invite)
        self._enter(CallState.UP)
        for _ in range(ANSWER_RESENDS):
            self._respond(self._invite, 200, body)
            try:
                async with asyncio.timeout(ANSWER_RESEND_S):
                    await self._acked.wait()
            except TimeoutError:
                continue
            return

    def reject(self, status: int = 486) -> None:
        """Refuse a ringing call."""
        if self.state is CallState.RINGING and self._invite is not None:
            self._respond(self._invite, status)
            self._end(status, by_us=True)

    async def hangup(self) -> None:
        """End the call from this side, whatever its state."""
        match self.state:
            case CallState.RINGING:
                self.reject(603)
            case CallState.CALLING:
                await self._cancel()
            case CallState.UP:
                await self._until_acked()
                self._end(200, by_us=True)
                await self._in_dialog("BYE")
            case CallState.ENDED:
                pass

    async def hold(self, held: bool) -> None:
        """Put the other side on hold (re-INVITE, sendonly) or take it back."""
        self._sdp_version += 1
        body = self._sdp("sendonly" if held else "sendrecv")
        response = await self._in_dialog("INVITE", body=body)
        if response is None or response.status >= 300:
            raise PhoneError("hold was refused")
        self.media.is_sending = not held
        self.acknowledge(response)

    async def refer(self, number: str) -> int:
        """Send the other side to ``number`` (blind transfer) and hang up once that is done.

        Returns the SIP status of the request.
        """
        host = sip.uri_of(self._remote).partition("@")[2]
        headers = [("refer-to", f"<sip:{number}@{host}>"), ("referred-by", self._line.contact)]
        response = await self._in_dialog("REFER", headers)
        if response is None or response.status >= 300:
            return 0 if response is None else response.status
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HANG_UP_TIMEOUT_S):
                await self._transferred.wait()
        await self.hangup()
        return response.status

    # ---------------------------------------------------------------- for the phone

    async def place(self, uri: str, from_header: str) -> None:
        """Send the INVITE and follow it to its end or its answer."""
        self._call_id = sip.new_tag() + sip.new_tag()
        self._local, self._remote = f"{from_header};tag={sip.new_tag()}", f"<{uri}>"
        self._target = uri
        self._cseq = 1
        self._invite = self._build("INVITE", body=self._sdp("sendrecv"))
        try:
            response = await self._line.request(self._invite, self._provisional)
        except PhoneError:
            self._end(408, by_us=False)
            return
        if response.status >= 300:
            self._end(response.status, by_us=self.ended_by_us)
            return
        self._learn(response)
        if self.state is CallState.ENDED:  # hung up while the answer was on its way
            self.acknowledge(response)
            await self._in_dialog("BYE")
            return
        if response.body:
            self.media.start(sdp.parse(response.body))
        self.acknowledge(response)
        self._enter(CallState.UP)

    def arrive(self, invite: SipMessage) -> None:
        """They call us."""
        self._invite = invite
        self.dialled = sip.user_of(invite.start_line.split(" ")[1])
        self._call_id = invite.call_id
        self._local = f"{invite.need('to')};tag={sip.new_tag()}"
        self._remote = invite.need("from")
        self._target = sip.uri_of(invite.get("contact") or self._remote)
        self.name = self._remote.partition("<")[0].strip().strip('"')
        self.asserted = invite.get("p-asserted-identity") or ""
        self._respond(invite, 180)

    def handle(self, request: SipMessage) -> None:
        """A request within this call."""
        match request.method:
            case "ACK":
                self._acked.set()
            case "BYE":
                self._respond(request, 200)
                self._end(200, by_us=False)
            case "CANCEL":
                self._respond(request, 200)
                if self.state is CallState.RINGING and self._invite is not None:
                    self._respond(self._invite, 487)
                    self._end(487, by_us=False)
            case "NOTIFY":
                self._respond(request, 200)
                if request.body.startswith(b"SIP/2.0 2"):  # how the transfer went
                    self._transferred.set()
            case "INVITE":
                self._acked.clear()
                self._renegotiate(request)
            case "UPDATE":
                self._renegotiate(request)
            case _:
                self._respond(request, 200)

    def acknowledge(self, response: SipMessage) -> None:
        """ACK a 2xx; sent again for each repetition of it."""
        uri = sip.uri_of(response.get("contact") or self._target)
        headers = self._dialog_headers("ACK", response.cseq[0])
        self._last_ack = self._line.build("ACK", uri, headers)
        self._line.send(self._last_ack)

    async def close(self) -> None:
        await self.media.close()

    # ---------------------------------------------------------------- inside

    def _provisional(self, response: SipMessage) -> None:
        if response.status > 100:
            self.statuses.append(response.status)
        if response.body:
            self.media.start(sdp.parse(response.body))

    async def _cancel(self) -> None:
        invite = self._invite
        self._end(487, by_us=True)
        if invite is None:
            return
        headers = [
            (name, value)
            for name, value in invite.headers
            if name in ("via", "from", "to", "call-id")
        ]
        headers.append(("cseq", f"{invite.cseq[0]} CANCEL"))
        uri = invite.start_line.split(" ")[1]
        message = SipMessage(f"CANCEL {uri} SIP/2.0", [*headers, ("max-forwards", "70")])
        await self._line.request(message)

    def retried(self, invite: SipMessage) -> None:
        """The phone sent the INVITE again with its password: CANCEL must name that one.

        And what follows in the dialogue counts on from it: Asterisk refuses a lower CSeq.
        """
        self._invite = invite
        self._cseq = invite.cseq[0]

    async def _until_acked(self) -> None:
        """RFC 3261, 15: who has answered says nothing more before the ACK.

        Asterisk refuses such a BYE with 481 and keeps the channel.
        """
        if self._is_callee:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(HANG_UP_TIMEOUT_S):
                    await self._acked.wait()

    async def _in_dialog(
        self, method: str, headers: sip.Headers | None = None, *, body: bytes = b""
    ) -> SipMessage | None:
        await self._until_acked()
        self._cseq += 1
        message = self._build(method, headers, body=body)
        try:
            async with asyncio.timeout(HANG_UP_TIMEOUT_S):
                return await self._line.request(message)
        except (TimeoutError, PhoneError):
            return None

    def _build(
        self, method: str, headers: sip.Headers | None = None, *, body: bytes = b""
    ) -> SipMessage:
        all_headers = [*self._dialog_headers(method, self._cseq), *(headers or [])]
        all_headers.append(("contact", self._line.contact))
        if body:
            all_headers.append(("content-type", "application/sdp"))
        return self._line.build(method, self._target, all_headers, body)

    def _dialog_headers(self, method: str, number: int) -> sip.Headers:
        return [
            ("from", self._local),
            ("to", self._remote),
            ("call-id", self._call_id),
            ("cseq", f"{number} {method}"),
        ]

    def _learn(self, response: SipMessage) -> None:
        self._remote = response.need("to")
        self._target = sip.uri_of(response.get("contact") or self._target)

    def _sdp(self, direction: str) -> bytes:
        return sdp.build(self.media.local, version=self._sdp_version, direction=direction)

    def _answer_body(self, request: SipMessage) -> bytes:
        """The answer to an offer (or our offer where they sent none); starts the audio."""
        if not request.body:
            return self._sdp("sendrecv")
        offer = sdp.parse(request.body)
        self.media.start(offer)
        return sdp.build(
            self.media.local,
            payloads=(offer.choose(),),
            version=self._sdp_version,
            direction=_mirror(offer.direction),
            dtmf=offer.dtmf or sdp.DTMF,
        )

    def _renegotiate(self, request: SipMessage) -> None:
        if self.state is CallState.ENDED:
            self._line.send(sip.respond(request, 481, "Call Does Not Exist"))
            return
        self._sdp_version += 1
        body = self._answer_body(request) if request.body or request.method == "INVITE" else b""
        self._respond(request, 200, body)

    def _respond(self, request: SipMessage, status: int, body: bytes = b"") -> None:
        extra = [("contact", self._line.contact)]
        if body:
            extra.append(("content-type", "application/sdp"))
        tag = sip.parameter(self._local, "tag") or ""
        reason = _REASONS.get(status, "Answer")
        self._line.send(sip.respond(request, status, reason, to_tag=tag, extra=extra, body=body))

    def _enter(self, state: CallState) -> None:
        self.state = state
        self._changed.set()

    def _end(self, status: int, *, by_us: bool) -> None:
        if self.state is CallState.ENDED:
            return
        self.end_status, self.ended_by_us = status, by_us
        self._enter(CallState.ENDED)
        self._acked.set()
        self._line.ended(self)


def _mirror(direction: str) -> str:
    return {"sendonly": "recvonly", "recvonly": "sendonly"}.get(direction, direction)


RingPolicy = Callable[[PhoneCall], Awaitable[None]]
"""What a phone does when it rings; cancelled when the ringing ends."""


def answer_after(ring_s: float, *, play: Sound | None = None) -> RingPolicy:
    """Ring, answer, and say ``play``."""

    async def policy(call: PhoneCall) -> None:
        await asyncio.sleep(ring_s)
        await call.answer()
        if play is not None:
            call.play(play)

    return policy


def reject_with(status: int = 486, *, after_s: float = 0.0) -> RingPolicy:
    """Refuse, as by the phone's reject key."""

    async def policy(call: PhoneCall) -> None:
        await asyncio.sleep(after_s)
        call.reject(status)

    return policy


def ignore() -> RingPolicy:
    """Let it ring."""

    async def policy(call: PhoneCall) -> None:
        """Nobody is there."""

    return policy
