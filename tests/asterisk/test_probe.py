"""The probe call that set-up makes: passes on a good Asterisk, says what a bad one does."""

import pytest

from base.errors import SetupError
from telephony import probe
from telephony.switch import AsteriskSwitch
from telephony.tree import AsteriskTree


def test_probe_call_goes_through(asterisk_tree: AsteriskTree) -> None:
    probe.probe(asterisk_tree)


def test_asterisk_whose_live_stream_never_comes_is_refused_with_the_fix(
    asterisk_tree: AsteriskTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_fork(*_: object) -> None:
        """From here on nothing takes long but the wait for that stream."""
        monkeypatch.setattr(probe, "STEP_TIMEOUT_S", 5.0)

    monkeypatch.setattr(AsteriskSwitch, "fork", no_fork)
    with pytest.raises(SetupError, match="the live stream carries no sound") as refused:
        probe.probe(asterisk_tree)
    assert "asterisk-debs" in refused.value.fix
