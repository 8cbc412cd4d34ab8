"""Every setting by name: its TOML key, environment variable, kind, default and meaning.

The one list behind the loader, ``./hotline settings`` and the table of docs/OPERATIONS.md. Must
never read a file or the environment: that is ``server.settings_loader``.
"""

import os
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

PORT_BASE = 12340
"""So that the consoles answer on 12345, the hotline's own number."""

REPOSITORY_VARIABLES = frozenset(
    {
        "HOTLINE_CHROMIUM",
        "HOTLINE_CONFIG",
        "HOTLINE_REQUIREMENTS_REPORT",
        "HOTLINE_PYTHON",
        "HOTLINE_VENV",
        "HOTLINE_SHARED",
    }
)
"""Variables that begin like settings but are read elsewhere: by the script and the tests."""


class Kind(StrEnum):
    TEXT = "text"
    """Any string."""
    PATH = "path"
    """A folder; ``~`` is expanded, relative paths are taken from the current folder."""
    WHOLE = "whole number"
    """A positive integer."""
    PORT = "port"
    """1–65535."""
    TEXTS = "list of texts"
    """In the environment: separated by commas."""


@dataclass(frozen=True, slots=True)
class Option:
    """One setting. ``default`` None: computed, as ``meaning`` says."""

    key: str
    kind: Kind
    default: Any
    meaning: str

    @property
    def variable(self) -> str:
        """``ports.http`` → ``HOTLINE_PORT_HTTP``; ``speech.model`` → ``HOTLINE_SPEECH_MODEL``."""
        return "HOTLINE_" + self.key.replace("ports.", "port_").replace(".", "_").upper()


PORT_OFFSETS = {
    "http": 5,
    "sip": 6,
    "ami": 7,
    "asterisk_http": 8,
    "postgres": 9,
    "redis": 10,
    "audio": 11,
    "rtp_first": 100,
    "rtp_last": 899,
}
EMERGENCY_TRUNK_OFFSET = 12

_PORT_MEANINGS = {
    "http": "consoles and API",
    "sip": "Asterisk's SIP, UDP and TCP",
    "ami": "Asterisk's manager interface",
    "asterisk_http": "Asterisk's HTTP server: the websocket of pages that are phones",
    "postgres": "private PostgreSQL",
    "redis": "private Valkey",
    "audio": "audio of the calls, from Asterisk to the speech role",
    "rtp_first": "first UDP port of speech between phones and Asterisk (even)",
    "rtp_last": "last of them",
}

OPTIONS: tuple[Option, ...] = (
    Option(
        "home", Kind.PATH, None, "everything this installation writes (`.hotline` in the clone)"
    ),
    Option("tools", Kind.PATH, None, "what set-up unpacked; may be shared (`<home>/tools`)"),
    Option("bind", Kind.TEXT, "127.0.0.1", "address the consoles and Asterisk listen on"),
    Option(
        "trusted_proxies",
        Kind.TEXTS,
        (),
        "addresses or networks of your proxies before the console: they say whose a request is",
    ),
    Option(
        "port_base",
        Kind.PORT,
        PORT_BASE,
        "moves all ports at once; below 32768, where the system takes ports of its own",
    ),
    *(
        Option(f"ports.{name}", Kind.PORT, None, f"{_PORT_MEANINGS[name]} (port_base + {offset})")
        for name, offset in PORT_OFFSETS.items()
    ),
    Option("agents", Kind.TEXTS, ("1001", "1002", "1003", "1004"), "agents' extensions"),
    Option(
        "leader_phones",
        Kind.TEXTS,
        ("1900",),
        "extensions of leaders' phones: with them they listen in, whisper, join, take over",
    ),
    Option(
        "page_phones",
        Kind.TEXTS,
        (),
        "those of `agents` whose phone is their page (WebRTC); the others' is a SIP phone",
    ),
    Option(
        "trunk_addresses", Kind.TEXTS, ("127.0.0.2",), "addresses whose SIP calls are citizens'"
    ),
    Option(
        "emergency_trunk",
        Kind.TEXT,
        None,
        "`host:port` that takes 110, 119, 120 and 122 (`127.0.0.1`, port_base + 12: the test line)",
    ),
    Option("pack", Kind.TEXT, "jinan_2018", "the city's rules: a pack of `packs list`"),
    Option(
        "emergency_trunk_2",
        Kind.TEXT,
        None,
        "`host:port` tried when the first does not reach the line (none: back to an agent at once)",
    ),
    Option(
        "outbound_trunk",
        Kind.TEXT,
        None,
        "`host:port` of the carrier for calls out: return calls, overflow (none: no calls out)",
    ),
    Option(
        "queues_file",
        Kind.PATH,
        None,
        "plan of queues, skills, shifts, phones on duty (`<home>/queues.toml`)",
    ),
    Option(
        "outside_file",
        Kind.PATH,
        None,
        "SMS gateway, units' own systems, subscribers (`<home>/outside.toml`)",
    ),
    Option(
        "emergency_test_number",
        Kind.TEXT,
        None,
        "harmless number called once a day over each emergency trunk (none: no test)",
    ),
    Option("emergency_test_hour", Kind.WHOLE, 4, "hour in China from which on the test is made"),
    Option(
        "asterisk_address", Kind.TEXT, None, "host of a running Asterisk to use (none: our own)"
    ),
    Option(
        "database_url",
        Kind.TEXT,
        None,
        "`postgresql://host:port/database` of a server of yours (none: a private cluster)",
    ),
    Option(
        "redis_url",
        Kind.TEXT,
        None,
        "`redis://host:port/0` of a server of yours (none: a private Valkey)",
    ),
    Option("speech.engine", Kind.TEXT, "vosk", "`vosk` or `off`"),
    Option(
        "speech.model",
        Kind.TEXT,
        "auto",
        "`auto` (the best installed), `demo-zh`, `cn-small`, `cn`, or a folder",
    ),
    Option(
        "speech.workers",
        Kind.WHOLE,
        max(1, min(4, (os.cpu_count() or 1) - 1)),
        "decoder processes (processors less one, at most 4)",
    ),
    Option(
        "speech.streams_per_worker", Kind.WHOLE, 8, "streams one worker takes; more are refused"
    ),
    Option(
        "throttle.rates",
        Kind.TEXTS,
        ("5/10m", "12/1h", "30/1d"),
        "calls a number may make in a time (`m`, `h`, `d`) before it waits behind others",
    ),
    Option(
        "throttle.ages_s",
        Kind.WHOLE,
        60,
        "how long such a caller waits behind others; then as everybody",
    ),
    Option(
        "supervision_shown",
        Kind.TEXT,
        "yes",
        "`yes`: agents may see who listened to their conversations and why; or `no`",
    ),
    Option("ring_timeout_s", Kind.WHOLE, 15, "how long a phone rings before the next is tried"),
    Option(
        "keep_days",
        Kind.WHOLE,
        180,
        "days that Asterisk's books (CDR, CEL, queue_log) and texts of sent messages are kept",
    ),
    Option("log_level", Kind.TEXT, "info", "`debug`, `info`, `warning` or `error`"),
)

BY_KEY = {option.key: option for option in OPTIONS}
BY_VARIABLE = {option.variable: option for option in OPTIONS}
