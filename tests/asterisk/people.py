"""The people of the tests: citizens, agents, the emergency exchange, and the product's answer."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack

import numpy as np
from aiohttp import web

from telephony import tones
from telephony.phone import Phone
from tests.asterisk.switch import DIALPLAN_SECRET, Switch

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
CITIZEN_HZ = 1000.0
AGENT_HZ = 2000.0
LINE_HZ = 2500.0


def voice(frequency_hz: float) -> tones.Samples:
    """Something recognisable to say for 30 seconds."""
    return np.tile(tones.tone(frequency_hz, 0.5), 60)


class Admission:
    """The product's answer at call entry, as good or bad as a test wants it."""

    def __init__(self, port: int) -> None:
        self.text: str | None = "queue=hotline&priority=0&prompt="
        """None: accept the question and never answer."""
        self.answers: Mapping[str, str] = {}
        """To these numbers instead of ``text``."""
        self.words = {"progress": "progress-open", "objection": "objection-kept"}
        self.progress: list[str] = []
        """What is told of a ticket, one answer after the other."""
        self.questions: list[dict[str, str]] = []
        self.secret = DIALPLAN_SECRET
        """Who asks without it is refused, as by the real one."""
        self._port = port
        self._runner: web.AppRunner | None = None
        self._released = asyncio.Event()

    async def start(self) -> None:
        app = web.Application(middlewares=[self._let_in])
        app.router.add_get("/internal/admission", self._answer)
        app.router.add_get("/internal/{what}", self._say)
        app.router.add_post("/internal/progress-of", self._tell)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()

    async def stop(self) -> None:
        self._released.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @web.middleware
    async def _let_in(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.headers.get("X-Dialplan-Secret") != self.secret:
            return web.json_response({"code": "loopback_only"}, status=403)
        return await handler(request)

    async def _say(self, request: web.Request) -> web.Response:
        what, number = request.match_info["what"], request.headers.get("X-Caller-Number", "")
        self.questions.append({"number": number, "what": what, **request.query})
        return web.Response(text=self.words[what])

    async def _tell(self, request: web.Request) -> web.Response:
        number, asked = request.headers.get("X-Caller-Number", ""), await request.text()
        self.questions.append({"number": number, "what": "progress-of", "asked": asked})
        return web.Response(text=self.progress.pop(0))

    async def _answer(self, request: web.Request) -> web.Response:
        number = request.headers.get("X-Caller-Number", "")
        self.questions.append({"number": number, **request.query})
        if self.text is None:
            await self._released.wait()
        return web.Response(text=self.answers.get(number, self.text or ""))


class People:
    """Makes phones and takes them away again."""

    def __init__(self, switch: Switch, stack: AsyncExitStack) -> None:
        self._switch, self._stack = switch, stack

    async def citizen(self, number: str = "13800000001", *, name: str = "") -> Phone:
        phone = Phone(("127.0.0.2", 0), self._switch.server, number, display_name=name)
        return await self._stack.enter_async_context(phone)

    async def agent(self, number: str) -> Phone:
        secret = self._switch.agent_secret(number)
        phone = Phone(("127.0.0.1", 0), self._switch.server, number, password=secret)
        await self._stack.enter_async_context(phone)
        await phone.register()
        return phone

    async def pause(self, number: str) -> None:
        """Keep the queues from ringing this agent, until the test ends."""
        interface = f"PJSIP/{number}"
        await self._switch.ask(f"queue pause member {interface}")
        self._stack.push_async_callback(self._switch.ask, f"queue unpause member {interface}")

    async def exchange(self, trunk: int = 1) -> Phone:
        """Where 110, 119, 120 and 122 answer, at the end of either emergency trunk."""
        local = ("127.0.0.3" if trunk == 1 else "127.0.0.4", self._switch.emergency_port)
        phone = Phone(local, self._switch.server, f"exchange{trunk}")
        return await self._stack.enter_async_context(phone)

    async def outside(self) -> Phone:
        """The carrier's end of our calls out: the neighbouring centre, mobile phones, citizens."""
        phone = Phone(("127.0.0.5", self._switch.emergency_port), self._switch.server, "outside")
        return await self._stack.enter_async_context(phone)
