"""What the dialplan asks when a caller has keyed number and code of a ticket (R013).

A POST, so that neither stands in an address: Asterisk logs the address of a question that fails.
"""

from typing import Final
from urllib.parse import parse_qs

from aiohttp import web

from server.http.loopback import DialplanOnly
from server.spoken_progress import SpokenProgress

MOST_KEYS: Final = 40


class PhoneProgressRoutes:
    """/internal/progress-of"""

    def __init__(self, spoken: SpokenProgress, only: DialplanOnly) -> None:
        self._spoken = spoken
        self._only = only

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/internal/progress-of", self.progress)]

    async def progress(self, request: web.Request) -> web.Response:
        self._only.check(request)
        # CURL sends a form, but with headers of its own it does not say so.
        asked = parse_qs(await request.text())
        number, code = (asked.get(name, [""])[0][:MOST_KEYS] for name in ("number", "code"))
        caller = request.headers.get("X-Caller-Number", "")[:MOST_KEYS]
        return web.Response(text=await self._spoken.answer(number, code, caller))
