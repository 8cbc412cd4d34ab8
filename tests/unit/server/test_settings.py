"""Settings: where each comes from, and what is said about one that cannot work."""

from pathlib import Path

import pytest

from base.errors import SetupError
from server.settings_loader import REPOSITORY, flatten, load_settings
from server.settings_options import OPTIONS


def _load(tmp_path: Path, toml: str = "", **environment: str) -> dict[str, object]:
    (tmp_path / "hotline.toml").write_text(toml, encoding="utf-8")
    return flatten(load_settings({"HOTLINE_HOME": str(tmp_path), **environment}))


def _refusal(tmp_path: Path, toml: str = "", **environment: str) -> tuple[str, str]:
    with pytest.raises(SetupError) as caught:
        _load(tmp_path, toml, **environment)
    return caught.value.message, caught.value.fix


def test_every_setting_has_a_default_that_works(tmp_path: Path) -> None:
    values = _load(tmp_path)
    assert values["ports.http"] == 12345
    assert values["bind"] == "127.0.0.1"
    assert values["tools"] == tmp_path / "tools"


def test_environment_wins_over_file_and_file_over_default(tmp_path: Path) -> None:
    toml = 'ring_timeout_s = 20\nlog_level = "debug"\n[ports]\nhttp = 8001\n'
    values = _load(tmp_path, toml, HOTLINE_RING_TIMEOUT_S="25", HOTLINE_AGENTS="2001, 2002")
    assert values["ring_timeout_s"] == 25
    assert values["log_level"] == "debug"
    assert values["ports.http"] == 8001
    assert values["agents"] == ("2001", "2002")


def test_port_base_moves_every_port_at_once(tmp_path: Path) -> None:
    one = _load(tmp_path)
    two = _load(tmp_path, HOTLINE_PORT_BASE="20000")
    names = [name for name in one if name.startswith("ports.")]
    assert {two[name] - one[name] for name in names} == {20000 - 12340}  # type: ignore[operator]
    assert two["emergency_trunk"] == "127.0.0.1:20012"


@pytest.mark.parametrize(
    ("toml", "what", "fix"),
    [
        ("port_bass = 1", "`port_bass`", "did you mean port_base?"),
        ("[speech]\nworkers = 'two'", "`speech.workers` is 'two'", "decoder"),
        ("[ports]\nhttp = 70000", "70000", "1 to 65535"),
        ("[ports]\nhttp = 8000\nsip = 8000", "ports.sip and ports.http are both 8000", "own port"),
        ("port_base = 65500", "too high", "65000"),
        ("bind = 'here'", "'here'", "127.0.0.1"),
        ("agents = []", "empty", "at least one"),
        ("agents = ['110']", "110", "choose another"),
        ("agents = ['1001', '1001']", "twice", "once"),
        ("page_phones = ['1900']", "'1900'", "agents' extensions"),
        ("trunk_addresses = ['carrier']", "'carrier'", "192.0.2"),
        ("trusted_proxies = ['10.0.0.300']", "'10.0.0.300'", "your proxies'"),
        ("emergency_trunk = 'nowhere'", "'nowhere'", "host:port"),
        ("emergency_test_number = '110'", "must never ring there", "of your own"),
        ("emergency_test_number = '+86'", "'+86'", "2 to 15 digits"),
        ("emergency_test_hour = 24", "24", "1 to 23"),
        ("emergency_trunk_2 = 'a:b'", "emergency_trunk_2 is 'a:b'", "host:port"),
        ("emergency_trunk = 'a:1'\nemergency_trunk_2 = 'a:1'", "the same", "another way"),
        ("database_url = 'mysql://x/y'", "database_url", "postgresql://"),
        ("redis_url = 'redis://:word@x/0'", "password", "leave them out"),
        ("log_level = 'loud'", "'loud'", "debug, info"),
        ("[speech]\nengine = 'ear'", "'ear'", "vosk"),
        ("bind = ", "no TOML", "mend"),
        ("ring_timeout_s = true", "True", "rings"),
    ],
)
def test_wrong_setting_is_named_with_its_mending(
    tmp_path: Path, toml: str, what: str, fix: str
) -> None:
    said, mending = _refusal(tmp_path, toml)
    assert what in said
    assert fix in mending


def test_misspelt_variable_is_named(tmp_path: Path) -> None:
    said, mending = _refusal(tmp_path, HOTLINE_PORT_BSAE="1")
    assert "HOTLINE_PORT_BSAE" in said
    assert "HOTLINE_PORT_BASE" in mending


def test_refused_address_never_shows_its_password(tmp_path: Path) -> None:
    said, mending = _refusal(tmp_path, "database_url = 'postgresql://u:geheim@h/d'")
    assert "geheim" not in said + mending


def test_folder_too_long_for_sockets_is_refused(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 90)
    deep.mkdir()
    said, mending = _refusal(deep)
    assert "too long for sockets" in said
    assert "HOTLINE_HOME" in mending


def test_missing_config_file_is_named(tmp_path: Path) -> None:
    said, _ = _refusal(tmp_path, HOTLINE_CONFIG=str(tmp_path / "none.toml"))
    assert "none.toml" in said


def test_private_services_stay_on_loopback_when_the_consoles_do_not(tmp_path: Path) -> None:
    settings = load_settings({"HOTLINE_HOME": str(tmp_path), "HOTLINE_BIND": "0.0.0.0"})
    assert settings.service_host == "127.0.0.1"


def test_every_setting_is_documented() -> None:
    text = (REPOSITORY / "docs" / "OPERATIONS.md").read_text(encoding="utf-8")
    missing = [option.key for option in OPTIONS if f"| `{option.key}` |" not in text]
    assert not missing
