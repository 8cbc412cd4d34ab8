"""Reads the settings file and the environment into ``Settings``, or says exactly what is wrong.

Precedence: default < file < environment < ``overrides``. Nothing is guessed: an unknown name, a
wrong type or two services on one port is a ``SetupError`` that names the place and the mending.
"""

import difflib
import ipaddress
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from base.errors import SetupError
from routing.throttle import parse_rates
from server.settings import Ports, Settings, SpeechSettings, ThrottleSettings
from server.settings_options import (
    BY_KEY,
    BY_VARIABLE,
    EMERGENCY_TRUNK_OFFSET,
    OPTIONS,
    PORT_BASE,
    PORT_OFFSETS,
    REPOSITORY_VARIABLES,
    Kind,
    Option,
)
from telephony.emergency_lines import EMERGENCY_LINES

REPOSITORY = Path(__file__).resolve().parent.parent
LONGEST_SOCKET_PATH = 107
"""Bytes of a unix socket's path that Linux takes (sun_path less its final zero)."""
LONGEST_SOCKET_NAME = "/run/asterisk/asterisk.ctl"
"""The longest socket below ``home``."""


def load_settings(
    environ: Mapping[str, str] | None = None, overrides: Mapping[str, Any] | None = None
) -> Settings:
    """Return the effective settings; ``overrides`` are by TOML key and win over all."""
    environ = os.environ if environ is None else environ
    from_environment = _from_environment(environ)
    values = _from_file(_config_file(environ, from_environment))
    values |= from_environment
    values |= dict(overrides or {})
    settings = _build(values)
    _validate(settings)
    return settings


def flatten(settings: Settings) -> dict[str, Any]:
    """Return the effective settings by TOML key, in the order of the documentation."""
    flat: dict[str, Any] = {}
    for option in OPTIONS:
        if option.key != "port_base":  # already spent on the ports
            value: Any = settings
            for part in option.key.split("."):
                value = getattr(value, part)
            flat[option.key] = value
    return flat


def _config_file(environ: Mapping[str, str], values: Mapping[str, Any]) -> Path:
    if named := environ.get("HOTLINE_CONFIG"):
        path = Path(named).expanduser().absolute()
        if not path.is_file():
            raise SetupError(
                f"HOTLINE_CONFIG names {path}, which is no file", fix="make it, or unset it"
            )
        return path
    home: Path = values.get("home", REPOSITORY / ".hotline")
    return home / "hotline.toml"


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, text in environ.items():
        if not name.startswith("HOTLINE_") or name in REPOSITORY_VARIABLES or text == "":
            continue
        option = BY_VARIABLE.get(name)
        if option is None:
            raise SetupError(
                f"the environment variable {name} is no setting",
                fix=_nearest(name, BY_VARIABLE) or "unset it; docs/OPERATIONS.md lists them all",
            )
        values[option.key] = _parse(option, _from_text(option, text), f"variable {name}")
    return values


def _from_text(option: Option, text: str) -> Any:
    match option.kind:
        case Kind.WHOLE | Kind.PORT:
            return int(text) if text.strip().isdecimal() else text
        case Kind.TEXTS:
            return [part.strip() for part in text.split(",") if part.strip()]
        case Kind.TEXT | Kind.PATH:
            return text


def _from_file(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SetupError(f"{path} is no TOML: {error}", fix="mend that line") from error
    values: dict[str, Any] = {}
    for key, value in _leaves(tree):
        option = BY_KEY.get(key)
        if option is None:
            raise SetupError(
                f"{path}: there is no setting `{key}`",
                fix=_nearest(key, BY_KEY) or "remove it; docs/OPERATIONS.md lists them all",
            )
        values[key] = _parse(option, value, f"{path}: `{key}`")
    return values


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in tree.items():
        if isinstance(value, dict):
            found += _leaves(value, f"{prefix}{name}.")
        else:
            found.append((prefix + name, value))
    return found


def _nearest(name: str, known: Mapping[str, Option]) -> str | None:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else None


def _parse(option: Option, value: Any, place: str) -> Any:
    """Check ``value`` against the option's kind; ``place`` says where it stood."""
    match option.kind:
        case Kind.TEXT if isinstance(value, str):
            return value
        case Kind.PATH if isinstance(value, str):
            return Path(value).expanduser().absolute()
        case Kind.WHOLE if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
        case Kind.PORT if isinstance(value, int) and not isinstance(value, bool):
            if 0 < value < 65536:
                return value
            raise SetupError(f"{place} is {value}, no port", fix="choose one from 1 to 65535")
        case Kind.TEXTS if isinstance(value, list) and all(isinstance(v, str) for v in value):
            return tuple(value)
    raise SetupError(f"{place} is {value!r}, not a {option.kind}", fix=f"{option.meaning}")


def _build(values: Mapping[str, Any]) -> Settings:
    def value_of(key: str) -> Any:
        return values.get(key, BY_KEY[key].default)

    home: Path = values.get("home", REPOSITORY / ".hotline")
    base: int = values.get("port_base", PORT_BASE)
    if base + PORT_OFFSETS["rtp_last"] > 65535:
        raise SetupError(f"port_base {base} is too high", fix="choose 65000 or less")
    ports = {
        name: values.get(f"ports.{name}", base + offset) for name, offset in PORT_OFFSETS.items()
    }
    return Settings(
        home=home,
        tools=values.get("tools", home / "tools"),
        bind=value_of("bind"),
        trusted_proxies=value_of("trusted_proxies"),
        ports=Ports(**ports),
        agents=value_of("agents"),
        leader_phones=value_of("leader_phones"),
        page_phones=value_of("page_phones"),
        trunk_addresses=value_of("trunk_addresses"),
        emergency_trunk=values.get("emergency_trunk", f"127.0.0.1:{base + EMERGENCY_TRUNK_OFFSET}"),
        emergency_trunk_2=value_of("emergency_trunk_2"),
        outbound_trunk=value_of("outbound_trunk"),
        queues_file=values.get("queues_file", home / "queues.toml"),
        outside_file=values.get("outside_file", home / "outside.toml"),
        pack=value_of("pack"),
        emergency_test_number=value_of("emergency_test_number"),
        emergency_test_hour=value_of("emergency_test_hour"),
        asterisk_address=value_of("asterisk_address"),
        database_url=value_of("database_url"),
        redis_url=value_of("redis_url"),
        speech=SpeechSettings(
            engine=value_of("speech.engine"),
            model=value_of("speech.model"),
            workers=value_of("speech.workers"),
            streams_per_worker=value_of("speech.streams_per_worker"),
        ),
        throttle=ThrottleSettings(
            rates=parse_rates(value_of("throttle.rates")), ages_s=value_of("throttle.ages_s")
        ),
        supervision_shown=value_of("supervision_shown") == "yes",
        ring_timeout_s=value_of("ring_timeout_s"),
        keep_days=value_of("keep_days"),
        log_level=value_of("log_level"),
    )


def _validate(settings: Settings) -> None:
    _validate_choices(settings)
    _validate_addresses(settings)
    _validate_ports(settings.ports)
    _validate_agents(settings.agents)
    _validate_test_call(settings.emergency_test_number, settings.emergency_test_hour)
    _validate_agents(settings.phones)
    _validate_page_phones(settings)
    longest = len(os.fsencode(settings.home)) + len(LONGEST_SOCKET_NAME)
    if longest > LONGEST_SOCKET_PATH:
        raise SetupError(
            f"home {settings.home} is {longest - LONGEST_SOCKET_PATH} bytes too long for sockets",
            fix="name a shorter folder in HOTLINE_HOME",
        )


def _validate_choices(settings: Settings) -> None:
    levels = ("debug", "info", "warning", "error")
    if settings.log_level not in levels:
        raise SetupError(
            f"log_level is {settings.log_level!r}", fix=f"choose one of {', '.join(levels)}"
        )
    if settings.speech.engine not in ("vosk", "off"):
        raise SetupError(
            f"speech.engine is {settings.speech.engine!r}", fix="choose `vosk` or `off`"
        )


def _validate_addresses(settings: Settings) -> None:
    if settings.bind != "0.0.0.0" and not _is_loopback(settings.bind):
        raise SetupError(
            f"bind is {settings.bind!r}",
            fix="127.0.0.1 for this machine alone, or 0.0.0.0 and a firewall for others too",
        )
    _validate_networks("trunk_addresses", settings.trunk_addresses, "the carrier's")
    _validate_networks("trusted_proxies", settings.trusted_proxies, "your proxies'")
    _validate_trunk("emergency_trunk", settings.emergency_trunk)
    if settings.emergency_trunk_2 is not None:
        _validate_trunk("emergency_trunk_2", settings.emergency_trunk_2)
        if settings.emergency_trunk_2 == settings.emergency_trunk:
            raise SetupError(
                "emergency_trunk and emergency_trunk_2 are the same",
                fix="name another way, or leave the second out",
            )
    if settings.outbound_trunk is not None:
        _validate_trunk("outbound_trunk", settings.outbound_trunk)
    _validate_url("database_url", settings.database_url, ("postgresql", "postgres"))
    _validate_url("redis_url", settings.redis_url, ("redis", "rediss"))


def _validate_networks(key: str, networks: tuple[str, ...], whose: str) -> None:
    for each in networks:
        try:
            ipaddress.ip_network(each, strict=False)
        except ValueError as error:
            raise SetupError(
                f"{key} has {each!r}, no IP address or network",
                fix=f"{whose} addresses, such as 192.0.2.10 or 192.0.2.0/28",
            ) from error


def _validate_test_call(number: str | None, hour: int) -> None:
    if hour > 23:
        raise SetupError(f"emergency_test_hour is {hour}", fix="choose 1 to 23")
    if number is None:
        return
    if not number.isascii() or not number.isdecimal() or not 2 <= len(number) <= 15:
        raise SetupError(f"emergency_test_number is {number!r}", fix="use 2 to 15 digits")
    if number in EMERGENCY_LINES:
        raise SetupError(
            f"emergency_test_number is {number}: a test must never ring there",
            fix="name a number of your own that answers",
        )


def _validate_trunk(key: str, trunk: str) -> None:
    host, _, port = trunk.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise SetupError(f"{key} is {trunk!r}", fix="write it as host:port")


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.IPv4Address(address).is_loopback
    except ValueError:
        return False


def _validate_url(key: str, url: str | None, schemes: tuple[str, ...]) -> None:
    if url is None:
        return
    parts = urlsplit(url)
    if parts.scheme not in schemes or not parts.hostname:
        raise SetupError(f"{key} is no {schemes[0]} address", fix=f"{BY_KEY[key].meaning}")
    if parts.username or parts.password:
        raise SetupError(
            f"{key} holds a user or password",
            fix="leave them out; docs/OPERATIONS.md says which files in secrets/ hold them",
        )


def _validate_ports(ports: Ports) -> None:
    if ports.rtp_last - ports.rtp_first < 3:
        raise SetupError(
            f"ports.rtp_first {ports.rtp_first} to ports.rtp_last {ports.rtp_last} is no range",
            fix="leave at least 4 ports a call between them",
        )
    owners: dict[int, str] = {}
    for name in PORT_OFFSETS:
        if name.startswith("rtp_"):
            continue
        port: int = getattr(ports, name)
        if port in owners:
            raise SetupError(
                f"ports.{name} and ports.{owners[port]} are both {port}",
                fix="give each its own port, or leave them to port_base",
            )
        owners[port] = name
    if ports.rtp_first <= ports.sip <= ports.rtp_last:
        raise SetupError(
            f"ports.sip {ports.sip} lies in the RTP range {ports.rtp_first}–{ports.rtp_last}",
            fix="move one of them",
        )


def _validate_page_phones(settings: Settings) -> None:
    for phone in settings.page_phones:
        if phone not in settings.agents:
            raise SetupError(
                f"page_phones has {phone!r}, which is none of agents",
                fix="name agents' extensions; a leader listens in with a SIP phone",
            )


def _validate_agents(agents: tuple[str, ...]) -> None:
    if not agents:
        raise SetupError("agents is empty", fix='name at least one extension, such as ["1001"]')
    for agent in agents:
        if not agent.isascii() or not agent.isdecimal() or not 3 <= len(agent) <= 6:
            raise SetupError(
                f"agents has {agent!r}, no extension", fix="use 3 to 6 digits, such as 1001"
            )
        if agent in ("110", "119", "120", "122", "12345"):
            raise SetupError(f"agents has {agent}, a public number", fix="choose another")
    if len(set(agents)) != len(agents):
        raise SetupError("agents names an extension twice", fix="name each once")
