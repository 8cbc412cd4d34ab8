"""What needs no sign-in: product facts, liveness, and the dialplan's question at call entry."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

import structlog
from aiohttp import web
from redis.asyncio import Redis
from redis.exceptions import RedisError

from routing.admission import Admission, Book, admit
from server.http.loopback import DialplanOnly
from server.http.problems import json_response
from server.streams import get_bytes
from transcription.wire import SPEECH_ROLE_KEY, decode_role_state

VERSION: Final = "0.1.0"


log = structlog.get_logger(__name__)


LayOver = Callable[[Admission, str, str], Awaitable[Admission]]
"""What the caller's number and call add to a decision."""


class PublicRoutes:
    """/health, /api/info, /internal/admission"""

    def __init__(
        self,
        redis: Redis,
        only: DialplanOnly,
        book: Callable[[], Book] = Book,
        lay_over: LayOver | None = None,
    ) -> None:
        self._redis = redis
        self._book = book
        self._only = only
        self._lay_over = lay_over

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/health", self.health),
            web.get("/api/info", self.info),
            web.get("/internal/admission", self.admission),
        ]

    async def health(self, request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def info(self, request: web.Request) -> web.Response:
        """What recognises speech here; the page warns where it is only the demo's model."""
        try:
            raw = await get_bytes(self._redis, SPEECH_ROLE_KEY)
        except (RedisError, OSError, TimeoutError):
            raw = None
        role = decode_role_state(raw) if raw else None
        return json_response(
            {
                "product": "hotline12345",
                "version": VERSION,
                "engine": role.engine if role else None,
                "model": role.model if role else None,
                "is_demo_model": role.is_demo if role else False,
            }
        )

    async def admission(self, request: web.Request) -> web.Response:
        """Answer from memory, and what a fraction of the caller's one second brings."""
        self._only.check(request)
        # A header: where the question fails, Asterisk logs the whole address.
        number = request.headers.get("X-Caller-Number", request.query.get("number", ""))
        decision = admit(
            caller_number=number,
            called_number=request.query.get("called", ""),
            at=datetime.now(UTC),
            book=self._book(),
        )
        if self._lay_over is not None:
            decision = await self._lay_over(decision, number, request.query.get("call", ""))
        log.info(
            "call_admitted",
            queue=decision.queue,
            priority=decision.priority,
            prompt=decision.prompt,
        )
        return web.Response(text=decision.as_line())
