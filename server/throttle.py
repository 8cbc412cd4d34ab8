"""Counts calls by number over several windows, in Redis, in one round trip.

Each window is a bucket by the generic cell rate algorithm: one instant a number and window instead
of a list of calls, so a number costs the same however often it calls, and the key ends when its
fullest bucket is empty again. The script is one atomic step for any number of web processes, by
Redis's own clock. A key holds a keyed hash, never a number. Redis late or away: nobody has called
too often (invariant 3).
"""

import asyncio
import hashlib
from collections.abc import Sequence
from typing import Final, cast

import structlog
from redis.asyncio import Redis
from redis.exceptions import NoScriptError, RedisError

from routing.throttle import Rate

log = structlog.get_logger(__name__)

TIMEOUT_S: Final = 0.15
"""Of the second that a caller may wait for admission."""
PREFIX: Final = "hotline:rate:"

# The key holds the instant (ms) at which each window's bucket is empty, in the windows' order.
# ARGV: now for tests or "", then gap and window of each rate. Answers how many windows are full.
# A call beyond a full window fills it no further: who slows down is free again.
COUNT: Final = """
local now = tonumber(ARGV[1])
if not now then
  local t = redis.call('TIME')
  now = t[1] * 1000 + math.floor(t[2] / 1000)
end
local held, full, last = {}, 0, now
for due in string.gmatch(redis.call('GET', KEYS[1]) or '', '%d+') do
  held[#held + 1] = tonumber(due)
end
for i = 1, (#ARGV - 1) / 2 do
  local gap, window = ARGV[2 * i], ARGV[2 * i + 1]
  local due = math.min(math.max(held[i] or now, now), now + window)
  if due + gap - now > tonumber(window) then
    full = full + 1
  else
    due = due + gap
  end
  held[i] = string.format('%.0f', due)
  last = math.max(last, due)
end
redis.call('SET', KEYS[1], table.concat(held, ' '), 'PX', math.max(last - now, 1))
return full
"""
GIVE_BACK: Final = """
local held, i = {}, 0
for due in string.gmatch(redis.call('GET', KEYS[1]) or '', '%d+') do
  i = i + 1
  held[i] = string.format('%.0f', due - (ARGV[2 * i] or 0))
end
if i > 0 then redis.call('SET', KEYS[1], table.concat(held, ' '), 'KEEPTTL') end
return 0
"""


class Throttle:
    """One installation's counts."""

    def __init__(self, redis: Redis, rates: Sequence[Rate], key: str) -> None:
        self._redis = redis
        self._rates = [each for rate in rates for each in (rate.gap_ms, rate.window_ms)]
        self._key = hashlib.sha256(key.encode()).digest()

    async def is_often(self, number: str, *, now_ms: int | None = None) -> bool:
        """Count a call, and say whether it is one too many in any window; False if in doubt."""
        if not number or not self._rates:
            return False
        now = "" if now_ms is None else now_ms
        try:
            async with asyncio.timeout(TIMEOUT_S):
                return bool(await self._run(COUNT, number, now, *self._rates))
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("throttle_open", error=type(error).__name__)
            return False

    async def give_back(self, number: str) -> None:
        """Nobody answered that call: it does not count."""
        if not number or not self._rates:
            return
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await self._run(GIVE_BACK, number, "", *self._rates)
        except (RedisError, OSError, TimeoutError) as error:
            log.info("throttle_not_given_back", error=type(error).__name__)

    def key_of(self, number: str) -> str:
        """Where a number is counted."""
        return PREFIX + hashlib.blake2b(number.encode(), key=self._key, digest_size=16).hexdigest()

    async def _run(self, script: str, number: str, *arguments: str | int) -> int:
        key, digest = self.key_of(number), _DIGESTS[script]
        try:
            answer = await self._redis.evalsha(digest, 1, key, *arguments)
        except NoScriptError:
            answer = await self._redis.eval(script, 1, key, *arguments)
        return int(cast("int", answer))


_DIGESTS: Final = {
    script: hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()
    for script in (COUNT, GIVE_BACK)
}
