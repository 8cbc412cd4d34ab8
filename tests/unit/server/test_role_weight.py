"""What the bridge carries: libraries of tens of megabytes stay with whom they serve."""

import subprocess
import sys

HEAVY = ("rjieba", "cn2an", "phonenumbers", "numpy", "jinja2", "aiohttp")
"""The words of drafts, the sounds and files of Asterisk's set-up, pages."""


def test_the_bridge_carries_no_library_of_another_process() -> None:
    asked = "import sys, server.roles.bridge; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=60
    )
    carried = set(done.stdout.split())
    assert [name for name in HEAVY if name in carried] == []
