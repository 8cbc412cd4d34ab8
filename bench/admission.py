"""The question at call entry as Asterisk asks it, with a bare aiohttp handler behind the same CURL.

A real Asterisk reads ``CURL(…)`` again and again, asked over its manager interface; ours looks up
suspensions, counts the number in a real Valkey and decides; the bare handler answers a constant.
"""

import asyncio
import logging
import random
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, cast

import structlog
from aiohttp import web

from base.database import Database
from bench.harness import BenchResult, LoadWatch, interleave_async, machine, medians
from bench.private_valkey import HOST, private_valkey
from routing.throttle import parse_rates
from rules.library import load_pack
from server.http.loopback import SECRET_HEADER, DialplanOnly
from server.http.public_routes import PublicRoutes
from server.nuisance import NuisanceDesk
from server.nuisance_entry import NuisanceEntry
from server.redis_client import connect_redis
from server.settings_loader import load_settings
from server.suspensions import SuspensionBook
from server.throttle import Throttle
from telephony import process
from telephony.tree import ensure_tree
from tests.asterisk.manager import BareManager
from tests.asterisk.switch import Switch, start_switch
from tests.conftest import free_port

QUESTIONS: Final = 200
AIM: Final = 0.5
SECRET: Final = "secret-of-the-bench"
LINE: Final = "queue=hotline&priority=0&prompt="
CALLED: Final = "12345"


def run(runs: int) -> BenchResult:
    """Questions answered per second, medians."""
    load = LoadWatch()
    # As the product's level "warning": a line for each question would be measured too.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with private_valkey() as url, tempfile.TemporaryDirectory(prefix="hotline-bench-") as home:
        switch = start_switch(ensure_tree(load_settings().tools / "asterisk"), Path(home))
        try:
            found = medians(asyncio.run(_measure(switch, url, runs)))
        finally:
            process.stop(switch.config)
    ours, reference = found["ours"], found["bare"]
    return BenchResult(
        name="admission",
        unit="questions/s",
        ours=round(ours),
        reference=round(reference),
        ratio=round(ours / reference, 3),
        aim=AIM,
        runs=max(runs, 5),
        machine=machine(),
        load=load.done(),
        notes=(
            f"{1000 / ours:.2f} ms a question, bare {1000 / reference:.2f} ms; a caller waits for"
            " one second at most",
        ),
    )


async def _measure(switch: Switch, url: str, runs: int) -> dict[str, list[float]]:
    async with (
        _ours(url) as ours,
        _serving(_bare) as bare,
        BareManager(switch.ami_port) as manager,
    ):
        await manager.login(switch.secret)
        return await interleave_async(
            {"ours": _asked(manager, ours), "bare": _asked(manager, bare)}, runs=runs
        )


def _asked(manager: BareManager, address: str) -> Callable[[], Awaitable[float]]:
    dice = random.Random(12345)

    async def measure() -> float:
        begun = time.perf_counter()
        for _ in range(QUESTIONS):
            number = f"138{dice.randrange(10**8):08d}"
            question = f"CURL({address}/internal/admission?called={CALLED}&number={number})"
            answer = await manager.action("Getvar", Variable=question)
            if answer.get("Value") != LINE:
                raise RuntimeError(f"asked in vain: {answer}")
        return QUESTIONS / (time.perf_counter() - begun)

    return measure


@asynccontextmanager
async def _ours(url: str) -> AsyncIterator[str]:
    redis = connect_redis(url)
    # Never asked: nobody calls too often, and nobody is suspended.
    database = cast(Database, None)
    entry = NuisanceEntry(
        database,
        NuisanceDesk(database, load_pack("hangzhou_2024")),
        SuspensionBook(database),
        Throttle(redis, parse_rates(["5/10m", "12/1h", "30/1d"]), "key of the bench"),
    )
    routes = PublicRoutes(redis, DialplanOnly(frozenset(), SECRET), lay_over=entry.lay_over)

    async def admission(request: web.Request) -> web.Response:
        # A question without a channel carries no headers of its own.
        headers = {**request.headers, SECRET_HEADER: SECRET}
        return await routes.admission(request.clone(headers=headers))

    try:
        async with _serving(admission) as address:
            yield address
    finally:
        await redis.aclose()


async def _bare(request: web.Request) -> web.Response:
    return web.Response(text=LINE)


@asynccontextmanager
async def _serving(handler: Callable[[web.Request], Awaitable[web.Response]]) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/internal/admission", handler)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        port = free_port()
        await web.TCPSite(runner, HOST, port).start()
        yield f"http://{HOST}:{port}"
    finally:
        await runner.cleanup()
