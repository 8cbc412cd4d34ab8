"""What the dialplan asks beside admission: a caller's progress, and an objection to keep.

Each has a second to answer, in one word that is a prompt's name; anything else, and the dialplan
says that it cannot be told now.
"""

from aiohttp import web

from server.http.loopback import DialplanOnly
from server.nuisance_entry import NuisanceEntry


class DialplanRoutes:
    """/internal/progress and /internal/objection"""

    def __init__(self, entry: NuisanceEntry, only: DialplanOnly) -> None:
        self._entry = entry
        self._only = only

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/internal/progress", self.progress),
            web.get("/internal/objection", self.objection),
        ]

    async def progress(self, request: web.Request) -> web.Response:
        self._only.check(request)
        return web.Response(text=await self._entry.progress(_number(request)))

    async def objection(self, request: web.Request) -> web.Response:
        """A GET, since that is what CURL does without more; said twice, it is kept twice."""
        self._only.check(request)
        is_kept = await self._entry.object(_number(request), request.query.get("call", ""))
        return web.Response(text="objection-kept" if is_kept else "objection-not-kept")


def _number(request: web.Request) -> str:
    # A header: where the question fails, Asterisk logs the whole address.
    return request.headers.get("X-Caller-Number", "")
