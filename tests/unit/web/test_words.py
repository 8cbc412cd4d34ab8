"""Every refusal that can reach a browser has Chinese words there."""

import re
from collections.abc import Iterator
from pathlib import Path

# Loaded for their refusals: the web role's own, and the bridge's that it passes on.
import routing.agents  # noqa: F401
import server.http.app
import server.live.centre
import server.live.drafting  # noqa: F401
from base.errors import HotlineError

WORDS = Path(__file__).parents[3] / "web" / "src" / "words.ts"
ROOMS = ("base.", "routing.", "server.auth", "server.http.", "server.live.", "tickets.")
NOT_FOR_BROWSERS = {
    "setup_failed",  # the command line
    "hours_invalid",  # the file of queues, read at the start
    "queue_plan_invalid",  # the same
    "loopback_only",  # the dialplan's own address
    "notices_invalid",  # a file of texts, read at the start
    "undeliverable",  # a channel to the outbox's sender
}


def _refusals(of: type[HotlineError] = HotlineError) -> Iterator[type[HotlineError]]:
    yield of
    for kind in of.__subclasses__():
        yield from _refusals(kind)


def test_every_refusal_of_the_web_role_has_chinese_words() -> None:
    codes = {
        kind.code
        for kind in _refusals()
        if kind.__module__.startswith(ROOMS) and kind.code not in NOT_FOR_BROWSERS
    }
    table = WORDS.read_text("utf-8").split("REFUSAL_WORDS", 1)[1].split("\n}\n", 1)[0]
    worded = set(re.findall(r"^  (\w+): \(", table, re.MULTILINE))
    assert sorted(codes - worded) == []
