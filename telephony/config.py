"""Renders ``asterisk-conf/`` into the folder of one installation.

Values come from outside, so each is checked before it is written: a line break or a semicolon in
one would be a line of somebody else's configuration. Files hold secrets and are 0600.

Must never read settings itself: everything is passed in.
"""

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import jinja2

from base.errors import SetupError
from telephony import tones
from telephony.emergency_lines import EMERGENCY_ENDPOINTS, EMERGENCY_LINES
from telephony.prompts import check_prompts
from telephony.queue_config import (
    EVERYBODY_PENALTY,
    OURS_PENALTY,
    LineOut,
    QueueConfig,
    check_queues,
)
from telephony.tree import AsteriskTree

LANGUAGE = "zh"
DEFAULT_QUEUE = "hotline"
MANAGER_USER = "hotline"
CONTROL_SOCKET_NAME = "asterisk.ctl"
PID_NAME = "asterisk.pid"
LONGEST_SOCKET_PATH = 107  # sun_path of a Unix socket holds 108 bytes with its end mark

EMERGENCY_KEY = "9"
EMERGENCY_CHOICES = {"1": "110", "2": "119", "3": "120", "4": "122"}
EMERGENCY_PRIORITY = 100_000
WAIT_KEY = "1"
RETURN_KEY = "2"
VOICEMAIL_KEY = "3"
PROGRESS_KEY = "7"
PROGRESS_TRIES = 3
"""How often number and code are asked for in a call; then a person goes on."""
SENT_BACK_PRIORITY = 1_000
"""Of a caller whom nobody took after an agent: above what admission can give."""

# The only events that leave Asterisk: what the reducer and the journeys need, and FullyBooted.
MANAGER_EVENTS = (
    "AgentCalled",
    "AgentComplete",
    "AgentConnect",
    "AgentRingNoAnswer",
    "AttendedTransfer",
    "BlindTransfer",
    "BridgeEnter",
    "BridgeLeave",
    "DeviceStateChange",
    "DialBegin",
    "DialEnd",
    "FullyBooted",
    "Hangup",
    "HangupRequest",
    "Hold",
    "LocalBridge",
    "MixMonitorMute",
    "NewCallerid",
    "Newchannel",
    "Newstate",
    "OriginateResponse",
    "Pickup",
    "QueueCallerAbandon",
    "QueueCallerJoin",
    "QueueCallerLeave",
    "QueueMemberAdded",
    "QueueMemberPause",
    "QueueMemberStatus",
    "Rename",
    "Unhold",
    "UserEvent",
)

MANAGER_EVENTS_OFF = (
    "BridgeCreate",
    "BridgeDestroy",
    "BridgeMerge",
    "BridgeVideoSourceUpdate",
    "ChannelTalkingStart",
    "ChannelTalkingStop",
    "ChanSpyStart",
    "ChanSpyStop",
    "ContactStatus",
    "DialState",
    "DTMFBegin",
    "DTMFEnd",
    "ExtensionStatus",
    "HangupHandlerPop",
    "HangupHandlerPush",
    "HangupHandlerRun",
    "LocalOptimizationBegin",
    "LocalOptimizationEnd",
    "MixMonitorStart",
    "MixMonitorStop",
    "MusicOnHoldStart",
    "MusicOnHoldStop",
    "NewAccountCode",
    "NewConnectedLine",
    "Newexten",
    "PeerStatus",
    "PresenceStateChange",
    "QueueMemberRinginuse",
    "RTCPReceived",
    "RTCPSent",
    "SoftHangupRequest",
    "SuccessfulAuth",
    "VarSet",
)
"""Frequent kinds that nobody here is sent. A filter drops an event when it is made, kept and every
session woken; one that is off costs Asterisk the least."""

_NUMBER = re.compile(r"[0-9]{2,15}")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")
_SECRET = re.compile(r"[A-Za-z0-9_-]{8,128}")
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}:[0-9]{1,5}")
_URL = re.compile(r"http://[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?/[A-Za-z0-9/_-]*")
_PATH = re.compile(r"""/[^\s;,|&^"'<>\\$(){}\[\]#%*?]*""")


@dataclass(frozen=True, slots=True, kw_only=True)
class AsteriskSecrets:
    """Made at set-up; none has a default."""

    manager: str
    dialplan: str = field(repr=False)
    """Goes with the dialplan's questions to the product, which answers nobody else."""
    agents: Mapping[str, str] = field(repr=False)
    """Agent's or leader's extension → SIP password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AsteriskConfig:
    """Everything the templates need, for one installation."""

    tree: AsteriskTree
    folder: Path
    """Asterisk's own folder, e.g. ``<home>/asterisk``: etc, lib, data, spool, cache."""
    run_dir: Path
    """Control socket and pid file."""
    log_dir: Path
    recordings_dir: Path
    prompts_dir: Path
    """Holds ``telephony.prompts.PROMPTS``; used in place, not copied."""
    bind: str
    sip_port: int
    ami_port: int
    http_port: int
    rtp_first: int
    rtp_last: int
    agents: tuple[str, ...]
    trunk_addresses: tuple[str, ...]
    emergency_trunk: str
    emergency_trunk_2: str | None = None
    """Where an emergency goes when the first trunk does not reach the line."""
    admission_url: str
    secrets: AsteriskSecrets = field(repr=False)
    leader_phones: tuple[str, ...] = ()
    """Phones that no queue rings: leaders listen in with them."""
    page_phones: tuple[str, ...] = ()
    """Agents whose phone is their page (WebRTC); the others' is a desk phone."""
    system_name: str = "hotline"
    """Begins every call id; give each Asterisk node its own."""
    queues: tuple[QueueConfig, ...] = (QueueConfig(name=DEFAULT_QUEUE, numbers=("12345",)),)
    """The first is the default: open always, and for every agent."""
    lines_out: tuple[LineOut, ...] = ()
    outbound_trunk: str | None = None
    """``host:port`` of the carrier; None: nobody outside is called."""
    ring_timeout_s: int = 15
    wrapup_s: int = 3
    emergency_timeout_s: int = 30
    """How long each trunk may ring."""
    announce_every_s: int = 60
    """How often a waiting caller hears the place in the queue."""
    nobody_after_s: int = 20
    """With nobody of ours there, how long a caller waits for one before being told."""
    look_every_s: int = 300
    """How often a waiting caller's queue is looked at anew: whether anybody is still there."""
    often_ages_s: int = 60
    """How long who calls too often waits behind the others."""
    choice_s: int = 8
    """How long a caller may think about a key."""
    objection_most_s: int = 60
    voicemail_most_s: int = 180
    satisfaction_s: int = 8
    return_ring_s: int = 40
    """How long a citizen's telephone rings for a return call."""
    consult_timeout_s: int = 25
    """How long somebody who is asked, or gets a caller, may ring."""
    outbound_timeout_s: int = 60
    hold_most_s: int = 600
    """Then the caller is given back to the agent."""
    emergency_choice_s: int = 4
    qualify_s: int = 30

    def __post_init__(self) -> None:
        _check(self)

    @property
    def emergency_trunks(self) -> tuple[tuple[str, str], ...]:
        """Endpoint and address of each emergency trunk."""
        addresses = (self.emergency_trunk, self.emergency_trunk_2)
        return tuple(
            (endpoint, address)
            for endpoint, address in zip(EMERGENCY_ENDPOINTS, addresses, strict=True)
            if address is not None
        )

    @property
    def called_numbers(self) -> tuple[str, ...]:
        return tuple(number for queue in self.queues for number in queue.numbers)

    @property
    def http_address(self) -> str:
        """Of Asterisk's HTTP server: never an outside one."""
        return self.bind if ipaddress.ip_address(self.bind).is_loopback else "127.0.0.1"

    @property
    def control_socket(self) -> Path:
        return self.run_dir / CONTROL_SOCKET_NAME

    @property
    def pid_file(self) -> Path:
        return self.run_dir / PID_NAME

    @property
    def etc(self) -> Path:
        return self.folder / "etc"

    @property
    def conf_file(self) -> Path:
        return self.etc / "asterisk.conf"

    @property
    def queue_log(self) -> Path:
        return self.log_dir / "queue_log"

    @property
    def cdr_file(self) -> Path:
        return self.log_dir / "cdr-csv" / "Master.csv"


@dataclass(frozen=True, slots=True)
class _Dirs:
    etc: Path
    lib: Path
    data: Path
    spool: Path
    cache: Path
    music: Path
    run: Path
    log: Path


def render(config: AsteriskConfig) -> Path:
    """Write the whole configuration and the folders it names; returns ``asterisk.conf``.

    Rendering again with the same values changes nothing.
    """
    announced = [f"hotline/{queue.announce}" for queue in config.queues if queue.announce]
    check_prompts(config.prompts_dir, announced)
    dirs = _make_dirs(config)
    values = _values(config, dirs)
    written = set()
    for template in templates_dir().glob("*.conf.j2"):
        text = _environment().from_string(template.read_text(encoding="utf-8")).render(values)
        _write_private(config.etc / template.stem, text)
        written.add(template.stem)
    for stale in config.etc.glob("*.conf"):
        if stale.name not in written:
            stale.unlink()
    _fill_data_dir(config, dirs)
    return config.conf_file


def templates_dir() -> Path:
    """``asterisk-conf`` of the source tree, or where the wheel put it."""
    root = Path(__file__).resolve().parent.parent
    for place in (root / "asterisk-conf", root / "server" / "assets" / "asterisk-conf"):
        if place.is_dir():
            return place
    raise SetupError(
        "the folder asterisk-conf is missing from the program", fix="install the product again"
    )


def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _values(config: AsteriskConfig, dirs: _Dirs) -> dict[str, object]:
    wildcard = ipaddress.ip_address(config.bind).is_unspecified
    permit = {"127.0.0.1/32", *(() if wildcard else (f"{config.bind}/32",))}
    return {
        "tree": config.tree,
        "dirs": dirs,
        "recordings_dir": config.recordings_dir,
        "language": LANGUAGE,
        "system_name": config.system_name,
        "control_socket_name": CONTROL_SOCKET_NAME,
        "bind": config.bind,
        "media_address": None if wildcard else config.bind,
        "sip_port": config.sip_port,
        "ami_port": config.ami_port,
        "http_address": config.http_address,
        "http_port": config.http_port,
        "rtp_first": config.rtp_first,
        "rtp_last": config.rtp_last,
        "agents": config.agents,
        "phones": (*config.agents, *config.leader_phones),
        "page_phones": config.page_phones,
        "agent_secrets": config.secrets.agents,
        "trunk_addresses": config.trunk_addresses,
        "called_numbers": config.called_numbers,
        "queues": config.queues,
        "default_queue": config.queues[0].name,
        "lines_out": config.lines_out,
        "lines_out_by_name": {line.name: line for line in config.lines_out},
        "outbound_trunk": config.outbound_trunk,
        "ours_penalty": OURS_PENALTY,
        "everybody_penalty": EVERYBODY_PENALTY,
        "nobody_after_s": config.nobody_after_s,
        "look_every_s": config.look_every_s,
        "often_ages_s": config.often_ages_s,
        "often_choice_s": min(config.choice_s, 4),
        "suspended_choice_s": config.choice_s,
        "objection_most_s": config.objection_most_s,
        "choice_s": config.choice_s,
        "voicemail_most_s": config.voicemail_most_s,
        "satisfaction_s": config.satisfaction_s,
        "return_ring_s": config.return_ring_s,
        "return_key": RETURN_KEY,
        "progress_key": PROGRESS_KEY,
        "progress_tries": PROGRESS_TRIES,
        "progress_entry_s": config.choice_s,
        "voicemail_key": VOICEMAIL_KEY,
        "wait_key": WAIT_KEY,
        "ring_timeout_s": config.ring_timeout_s,
        "wrapup_s": config.wrapup_s,
        "announce_every_s": config.announce_every_s,
        "qualify_s": config.qualify_s,
        "consult_timeout_s": config.consult_timeout_s,
        "outbound_timeout_s": config.outbound_timeout_s,
        "hold_most_s": config.hold_most_s,
        "sent_back_priority": SENT_BACK_PRIORITY,
        "admission_url": config.admission_url,
        "internal_url": config.admission_url.rpartition("/")[0],
        "emergency_trunks": config.emergency_trunks,
        "emergency_endpoints": [endpoint for endpoint, _ in config.emergency_trunks],
        "emergency_timeout_s": config.emergency_timeout_s,
        # Both trunks and what is played, with a margin.
        "warm_timeout_s": config.emergency_timeout_s * len(config.emergency_trunks) + 30,
        "emergency_choice_s": config.emergency_choice_s,
        "emergency_lines": EMERGENCY_LINES,
        "emergency_key": EMERGENCY_KEY,
        "emergency_choices": EMERGENCY_CHOICES,
        "emergency_priority": EMERGENCY_PRIORITY,
        "manager_user": MANAGER_USER,
        "manager_secret": config.secrets.manager,
        "dialplan_secret": config.secrets.dialplan,
        "manager_permit": sorted(permit),
        "manager_events": MANAGER_EVENTS,
        "manager_events_off": MANAGER_EVENTS_OFF,
    }


def _make_dirs(config: AsteriskConfig) -> _Dirs:
    folder = config.folder
    dirs = _Dirs(
        etc=config.etc,
        lib=folder / "lib",
        data=folder / "data",
        spool=folder / "spool",
        cache=folder / "cache",
        music=folder / "music",
        run=config.run_dir,
        log=config.log_dir,
    )
    wanted = [
        folder,
        *(getattr(dirs, name) for name in _Dirs.__slots__),
        dirs.lib / "keys",
        dirs.lib / "agi-bin",
        dirs.spool / "monitor",
        dirs.spool / "tmp",
        dirs.log / "cdr-csv",
        dirs.log / "cel-custom",
        config.recordings_dir,
    ]
    for path in wanted:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return dirs


def _fill_data_dir(config: AsteriskConfig, dirs: _Dirs) -> None:
    """The documentation Asterisk refuses to start without, prompts, beeps, waiting music."""
    for part in ("documentation", "static-http", "rest-api"):
        if (source := config.tree.data_dir / part).exists():
            _link(dirs.data / part, source)
    sounds = dirs.data / "sounds"
    sounds.mkdir(mode=0o700, exist_ok=True)
    _link(sounds / LANGUAGE, config.prompts_dir.resolve())
    for name, frequency_hz in (("beep", 1000.0), ("beeperr", 480.0)):
        if not (path := sounds / f"{name}.wav").exists():
            tones.write_wav(path, tones.tone(frequency_hz, 0.2))
    # An operator's own music, put into this folder, is left alone.
    if not any(dirs.music.iterdir()):
        tones.write_wav(dirs.music / "waiting.wav", tones.waiting_music())


def _link(link: Path, target: Path) -> None:
    if link.is_symlink() and link.readlink() == target:
        return
    link.unlink(missing_ok=True)
    link.symlink_to(target)


def _write_private(path: Path, text: str) -> None:
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.write(text)
    fresh.replace(path)


def _check(config: AsteriskConfig) -> None:
    """Refuse every value that could not stand in the templates as it is."""
    _check_names(config)
    _check_addresses(config)
    _check_ports(config)
    for path in (
        config.folder,
        config.run_dir,
        config.log_dir,
        config.recordings_dir,
        config.prompts_dir,
        config.tree.modules_dir,
    ):
        _demand(_PATH, str(path), "a folder", "choose an absolute path of plain characters")
    if len(os.fsencode(config.control_socket)) > LONGEST_SOCKET_PATH:
        raise SetupError(
            f"the path of Asterisk's control socket is longer than {LONGEST_SOCKET_PATH} bytes",
            fix="choose a data folder with a shorter path",
            path=str(config.control_socket),
        )


def _check_names(config: AsteriskConfig) -> None:
    _demand(_NAME, config.system_name, "the system name", "use letters and digits")
    _demand(_SECRET, config.secrets.manager, "the manager secret", "let set-up make it")
    _demand(_SECRET, config.secrets.dialplan, "the dialplan's secret", "let set-up make it")
    if not config.agents or not config.queues or not config.called_numbers:
        raise SetupError(
            "agents, queues or the hotline's numbers are empty", fix="name at least one of each"
        )
    for agent in (*config.agents, *config.leader_phones):
        _demand(_NUMBER, agent, "an agent's extension", "use digits only")
        if agent in EMERGENCY_LINES or agent in config.called_numbers:
            raise SetupError(
                f"an agent cannot have the extension {agent}", fix="choose another extension"
            )
        secret = config.secrets.agents.get(agent, "")
        _demand(_SECRET, secret, f"the secret of agent {agent}", "let set-up make it")
    for agent in config.page_phones:
        if agent not in config.agents:
            raise SetupError(
                f"{agent} has a page for a phone, but is no agent", fix="name agents alone"
            )
    for number in config.called_numbers:
        _demand(_NUMBER, number, "a number of the hotline", "use digits only")
    check_queues(config.queues, config.lines_out)


def _check_addresses(config: AsteriskConfig) -> None:
    _ipv4(config.bind, "the address to listen on")
    for address in config.trunk_addresses:
        try:
            ipaddress.ip_network(address)
        except ValueError as error:
            raise SetupError(
                f"{address!r} is no address or network of the carrier",
                fix="write 203.0.113.5 or 203.0.113.0/28",
            ) from error
    if not config.trunk_addresses:
        raise SetupError(
            "no address of the carrier's trunk is set", fix="set trunk_addresses in the settings"
        )
    for _, address in config.emergency_trunks:
        _demand(_HOST, address, "an emergency trunk", "write host:port")
    if config.outbound_trunk is not None:
        _demand(_HOST, config.outbound_trunk, "the outbound trunk", "write host:port")
    elif config.lines_out:
        raise SetupError("callers are sent out, but no line leads out", fix="set outbound_trunk")
    _demand(_URL, config.admission_url, "the admission address", "write http://host:port/path")


def _check_ports(config: AsteriskConfig) -> None:
    ports = (config.sip_port, config.ami_port, config.http_port)
    if not all(0 < port < 65536 for port in (*ports, config.rtp_first, config.rtp_last)):
        raise SetupError("a port is not between 1 and 65535", fix="correct the ports")
    if config.ami_port == config.http_port or len(set(ports)) < len(ports):
        raise SetupError("two services are given one port", fix="give each a port of its own")
    if config.rtp_last - config.rtp_first < 20:
        raise SetupError(
            "the RTP range holds fewer than 20 ports",
            fix="widen rtp_first–rtp_last: a call needs up to four",
        )


def _ipv4(text: str, what: str) -> None:
    try:
        ipaddress.IPv4Address(text)
    except ValueError as error:
        raise SetupError(
            f"{what} is no IPv4 address: {text!r}", fix="write it like 127.0.0.1"
        ) from error


def _demand(form: re.Pattern[str], value: str, what: str, fix: str) -> None:
    if not form.fullmatch(value):
        shown = "" if form is _SECRET else f": {value!r}"
        raise SetupError(f"{what} has a form that cannot be used{shown}", fix=fix)
