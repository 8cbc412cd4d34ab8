"""``./hotline bench emergency``: from the citizen's key to the INVITE on the emergency trunk.

The way is pure dialplan, so the product must not be felt on it: ours has every role running, the
reference is the same Asterisk with all of them stopped. Counted from the moment the key goes down;
about a sixth of a second of it is the key itself, since Asterisk acts when it is let go.
"""

import asyncio
import statistics
import time
from contextlib import AsyncExitStack
from typing import Final

from bench.harness import MIN_RUNS, BenchResult, LoadWatch, machine, turns
from bench.soak_product import Soaked, soaked
from server.settings_loader import load_settings
from telephony.phone import Phone, PhoneCall

CALLS: Final = 40
"""A run; all runs' calls are counted together, else the 99th of a hundred would be no figure."""
AT_ONCE: Final = 4
BEFORE_CHOICE_S: Final = 0.6
"""The menu has begun by then, and waits for seconds more."""
REACHED_WITHIN_S: Final = 10.0
AIM: Final = 0.9
AIM_MS: Final = 300


def run(runs: int) -> BenchResult:
    """Interleaved; p50 and p99 in milliseconds over all calls."""
    load = LoadWatch()
    runs = max(runs, MIN_RUNS)
    found = asyncio.run(_measure(runs))
    ours, reference = _figures(found["ours"]), _figures(found["stopped"])
    return BenchResult(
        name="emergency",
        unit="ms",
        ours=ours,
        reference=reference,
        ratio={key: round(reference[key] / ours[key], 3) for key in ours},
        aim=dict.fromkeys(ours, AIM),
        runs=runs,
        machine=machine(),
        load=load.done(),
        notes=(
            f"{CALLS} calls a run, {AT_ONCE} at once; p99 is to be at most {AIM_MS} ms",
            "reference: the same with bridge, web and speech stopped",
        ),
    )


def _figures(samples_ms: list[float]) -> dict[str, float]:
    hundredths = statistics.quantiles(samples_ms, n=100)
    return {"p50_ms": round(hundredths[49], 1), "p99_ms": round(hundredths[98], 1)}


async def _measure(runs: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {"ours": [], "stopped": []}
    async with soaked(load_settings().tools, agents=2, speech="vosk") as it, AsyncExitStack() as on:
        keys = await _Keys.plug_in(it, on)
        await keys.batch()  # warm
        is_up = True
        for turn in range(runs):
            for name in turns(list(found), turn):
                if is_up is not (name == "ours"):
                    is_up = name == "ours"
                    change = it.product.start_roles if is_up else it.product.stop_roles
                    await asyncio.to_thread(change)
                found[name] += await keys.batch()
    return found


class _Keys:
    """Citizens who press, and the exchange that notes when it is called."""

    def __init__(self, it: Soaked) -> None:
        self._it = it
        self._server = (it.settings.service_host, it.settings.ports.sip)
        self._numbers = iter(range(10_000, 100_000))
        self._invited_mono: dict[str, asyncio.Future[float]] = {}

    @classmethod
    async def plug_in(cls, it: Soaked, on: AsyncExitStack) -> "_Keys":
        keys = cls(it)
        host, _, port = it.settings.emergency_trunk.rpartition(":")
        exchange = await on.enter_async_context(Phone((host, int(port)), keys._server, "exchange"))
        exchange.on_ring(keys._note)
        return keys

    async def batch(self) -> list[float]:
        """One run: milliseconds of each call."""
        few = asyncio.Semaphore(AT_ONCE)

        async def one() -> float:
            async with few:
                return await self._one(f"138000{next(self._numbers)}")

        return list(await asyncio.gather(*(one() for _ in range(CALLS))))

    async def _note(self, call: PhoneCall) -> None:
        invited = self._invited_mono.get(call.number)
        if invited is not None and not invited.done():
            invited.set_result(time.monotonic())
        await call.answer()

    async def _one(self, number: str) -> float:
        invited: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._invited_mono[number] = invited
        local = (self._it.settings.trunk_addresses[0], 0)
        async with Phone(local, self._server, number) as citizen:
            call = await citizen.call("12345")
            await call.until_answered(REACHED_WITHIN_S)
            call.send_digit("9")
            await asyncio.sleep(BEFORE_CHOICE_S)
            pressed_mono = time.monotonic()
            call.send_digit("1")
            async with asyncio.timeout(REACHED_WITHIN_S):
                took_s = await invited - pressed_mono
            await call.hangup()
        return took_s * 1000
