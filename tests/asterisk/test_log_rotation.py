"""Asterisk's log files begin anew when they are long, and the oldest go."""

import pytest

from telephony import log_rotation
from telephony.log_rotation import MESSAGES, MESSAGES_KEPT, rotate_if_long
from tests.asterisk.switch import Switch


def test_long_log_is_put_aside_and_the_oldest_part_dropped(
    asterisk: Switch, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = asterisk.config.log_dir
    messages = folder / MESSAGES
    assert not rotate_if_long(asterisk.config)
    for number in range(MESSAGES_KEPT):
        (folder / f"{MESSAGES}.{number}").write_text(f"part {number}\n")
    queue_log = asterisk.config.queue_log.read_text()
    monkeypatch.setitem(log_rotation.MOST_BYTES, MESSAGES, 10)
    with messages.open("a") as file:
        file.write("a line that makes it long\n")

    assert rotate_if_long(asterisk.config)

    assert "a line that makes it long" in (folder / f"{MESSAGES}.0").read_text()
    assert "a line that makes it long" not in messages.read_text()
    assert (folder / f"{MESSAGES}.1").read_text() == "part 0\n"
    assert not (folder / f"{MESSAGES}.{MESSAGES_KEPT}").exists()
    assert (folder / "queue_log.0").read_text() == queue_log
