"""Asterisk's end of a page's telephone, as far as a picture needs it: registers, and rings."""

from aiohttp import web

from server.http.problems import json_response
from telephony.phone import sip

INVITE = [
    ("via", "SIP/2.0/WS 127.0.0.1;branch=z9hG4bKring"),
    ("from", "<sip:13800138000@hotline.invalid>;tag=citizen"),
    ("call-id", "ring-1"),
    ("cseq", "1 INVITE"),
    ("contact", "<sip:hotline@127.0.0.1;transport=ws>"),
    ("max-forwards", "70"),
    ("content-type", "application/sdp"),
]
SDP = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"


class ScriptedPhone:
    """/api/phone and /sip of an agent who has a desk phone, or where ``is_page`` the page."""

    def __init__(self) -> None:
        self.is_page = False
        self._line: web.WebSocketResponse | None = None
        self._contact = ""

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/api/phone", self._show), web.get("/sip", self._serve)]

    async def ring(self) -> None:
        """A call comes in; it rings until the page goes."""
        assert self._line is not None, "no page is registered"
        headers = [*INVITE, ("to", self._contact)]
        invite = sip.SipMessage(f"INVITE {sip.uri_of(self._contact)} SIP/2.0", headers, SDP)
        await self._line.send_str(invite.encode().decode())

    async def _show(self, request: web.Request) -> web.Response:
        if not self.is_page:
            return json_response({"kind": "desk"})
        return json_response({"kind": "page", "extension": "1001", "password": "not a secret"})

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        line = web.WebSocketResponse(protocols=("sip",))
        await line.prepare(request)
        async for message in line:
            asked = sip.parse(str(message.data).encode())
            if asked.method == "REGISTER":
                self._line, self._contact = line, asked.need("contact")
                accepted = sip.respond(
                    asked, 200, "OK", to_tag="switch", extra=[("contact", self._contact)]
                )
                await line.send_str(accepted.encode().decode())
        return line
