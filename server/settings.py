"""The settings of one installation, parsed once at the edge into frozen types.

Every value has a working default; a file (``HOTLINE_CONFIG``, else ``<home>/hotline.toml``) and
then ``HOTLINE_*`` environment variables override it. docs/OPERATIONS.md lists them all.
"""

from dataclasses import dataclass
from pathlib import Path

from routing.throttle import Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """TCP/UDP ports, all on ``Settings.bind``. Defaults are offsets from ``port_base``."""

    http: int
    """The consoles and the API (base + 5: 12345)."""
    sip: int
    """Asterisk's SIP, UDP and TCP (base + 6)."""
    ami: int
    """Asterisk's manager interface (base + 7)."""
    asterisk_http: int
    """Asterisk's own HTTP server: the websocket of pages that are phones (base + 8)."""
    postgres: int
    """The private PostgreSQL cluster (base + 9)."""
    redis: int
    """The private Valkey (base + 10)."""
    audio: int
    """The speech role's AudioSocket listener (base + 11)."""
    rtp_first: int
    rtp_last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechSettings:
    """What recognises speech."""

    engine: str
    """``vosk`` (live) — the only one for live words so far — or ``off``."""
    model: str
    """``auto`` (the best installed), ``demo-zh``, ``cn-small``, ``cn``, or a directory."""
    workers: int
    """Decoder processes."""
    streams_per_worker: int
    """Streams admitted to one worker; more are refused, never queued."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrottleSettings:
    """Who calls too often, and what it costs them."""

    rates: tuple[Rate, ...]
    """Beyond any of these a caller waits behind the others."""
    ages_s: int
    """For so long at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One installation."""

    home: Path
    """Everything this installation writes: data, secrets, sockets, recordings, logs."""
    tools: Path
    """What set-up unpacked and may be shared by installations: Asterisk, models, prompts."""
    bind: str
    """Address to listen on; loopback unless told otherwise."""
    trusted_proxies: tuple[str, ...]
    """Addresses or networks of proxies before the console, believed of whom they ask for."""
    ports: Ports
    agents: tuple[str, ...]
    """Agents' extensions, e.g. ``("1001", "1002", "1003", "1004")``."""
    leader_phones: tuple[str, ...]
    """Extensions of the leaders' phones; no queue rings them."""
    page_phones: tuple[str, ...]
    """Those of ``agents`` whose phone is their page; the others' is a SIP phone."""
    trunk_addresses: tuple[str, ...]
    """Addresses whose SIP calls are the carrier's (citizens)."""
    emergency_trunk: str
    """``host:port`` to which 110, 119, 120 and 122 are sent."""
    emergency_trunk_2: str | None
    """Tried when the first does not reach the line; None: there is no second."""
    outbound_trunk: str | None
    """``host:port`` of the carrier for calls out; None: nobody outside is called."""
    queues_file: Path
    """The plan of queues, skills, shifts and phones on duty."""
    outside_file: Path
    """Whom outside is told what: the SMS gateway, units' own systems, subscribers."""
    pack: str
    """The city's rules: the id of a pack, ours or one in ``<home>/packs``."""
    emergency_test_number: str | None
    """Called once a day over each emergency trunk; None: the trunks are not tested."""
    emergency_test_hour: int
    """Of the day in China, from which on the day's test is made."""
    asterisk_address: str | None
    """``host`` of a running Asterisk to use; None: our own, unpacked under ``tools``."""
    database_url: str | None
    """None: our own private cluster."""
    redis_url: str | None
    """None: our own private Valkey."""
    speech: SpeechSettings
    throttle: ThrottleSettings
    supervision_shown: bool
    """Whether agents may see which of their conversations a leader listened to, and why."""
    ring_timeout_s: int
    """How long an agent's phone rings before the next is tried."""
    keep_days: int
    """How long Asterisk's own books of the calls and the texts of sent messages are kept."""
    log_level: str

    @property
    def phones(self) -> tuple[str, ...]:
        """All extensions with a phone."""
        return (*self.agents, *self.leader_phones)

    @property
    def run_dir(self) -> Path:
        """Pid files and sockets."""
        return self.home / "run"

    @property
    def secrets_dir(self) -> Path:
        """0700; one 0600 file a secret, made at set-up."""
        return self.home / "secrets"

    @property
    def recordings_dir(self) -> Path:
        return self.home / "recordings"

    @property
    def attachments_dir(self) -> Path:
        """Files of tickets, by their hash."""
        return self.home / "attachments"

    @property
    def logs_dir(self) -> Path:
        return self.home / "logs"

    @property
    def service_host(self) -> str:
        """Where our own roles reach our private services, and where these listen.

        A database has no business on an outside address, whatever ``bind`` says of the consoles.
        """
        return self.bind if self.bind.startswith("127.") else "127.0.0.1"
