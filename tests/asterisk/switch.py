"""A real Asterisk of our own for tests: private folder, random free ports, tones for prompts."""

import asyncio
import random
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from telephony import process, tones
from telephony.config import AsteriskConfig, AsteriskSecrets, render
from telephony.phone import PhoneCall
from telephony.phone.sound import Samples
from telephony.process import RunningAsterisk
from telephony.prompts import PROMPTS, prompt_path
from telephony.queue_config import LineOut, QueueConfig, QueueMember
from telephony.tree import AsteriskTree

POLL_S = 0.02
PATIENCE_S = 15.0
"""How long to wait for what comes in a second where nothing else runs; the machine may be busy."""
RTP_BLOCK = 200
DIALPLAN_SECRET = "dialplan-secret-of-the-test"

# Prompts the tests listen for: what is heard tells what was played.
PROMPT_HZ = {
    "hotline/greeting": 500.0,
    "hotline/recording-notice": 700.0,
    "hotline/emergency-hint": 900.0,
    "hotline/emergency-menu": 1100.0,
    "hotline/emergency-unreachable": 1300.0,
    "hotline/emergency-unreachable-warm": 1900.0,
    "hotline/busy": 1500.0,
    "hotline/sent-back": 1900.0,
    "queue-youarenext": 1700.0,
    "queue-thereare": 2600.0,
    "digits/2": 2400.0,
    "digits/3": 2200.0,
    "digits/4": 2400.0,
    "queue-callswaiting": 2800.0,
    "queue-holdtime": 3000.0,
    "queue-minutes": 3200.0,
    "hotline/waiting-choices": 3400.0,
    "hotline/nobody-there": 3100.0,
    "hotline/voicemail": 2100.0,
    "hotline/return-accepted": 2300.0,
    "hotline/return-notice": 3300.0,
    "hotline/return-no-answer": 3500.0,
    "hotline/satisfaction": 2700.0,
    "hotline/often": 3300.0,
    "hotline/progress-open": 3500.0,
    "hotline/progress-number": 3150.0,
    "hotline/progress-code": 3250.0,
    "hotline/progress-wrong": 3350.0,
    "hotline/progress-is-handled": 1250.0,
    "hotline/progress-unknown": 1350.0,
    "hotline/suspended-use": 600.0,
    "hotline/suspended-ways": 800.0,
    "hotline/objection-kept": 1400.0,
    "hotline/objection-not-kept": 1600.0,
    "hotline/ended-by-rules": 1800.0,
    "hotline/satisfaction-thanks": 2900.0,
}
# 12345: everybody. 12348: 1001 knows it best, 1002 less, 1003 not at all. 12301: nobody of ours.
QUEUES = (
    QueueConfig(name="hotline", numbers=("12345",), code="800"),
    QueueConfig(
        name="law",
        numbers=("12348",),
        code="801",
        members=(QueueMember("1001", 0), QueueMember("1002", 10), QueueMember("1003", 100)),
        steps=((4, 10), (7, 100)),
    ),
    QueueConfig(
        name="outside",
        numbers=("12301",),
        members=(QueueMember("1003", 0),),
        outside=(QueueMember("neighbour", 200), QueueMember("duty1", 300)),
        steps=((2, 200), (4, 300)),
    ),
    QueueConfig(name="shut", numbers=("12302",), open_at=("00:00-00:00,mon&tue",), otherwise="law"),
)
LINES_OUT = (
    LineOut("neighbour", "057112345", is_shared=True),
    LineOut("duty1", "13900000001"),
)
LEADER = "1900"
PROMPT_LENGTH_S = {
    "hotline/greeting": 0.6,
    "hotline/recording-notice": 0.4,
    # Long enough to press a key while it is spoken.
    **dict.fromkeys(("queue-thereare", "digits/2", "digits/3", "digits/4"), 0.6),
    "queue-callswaiting": 0.6,
    **dict.fromkeys(("hotline/return-accepted", "hotline/satisfaction-thanks"), 1.0),
}


@dataclass(frozen=True, slots=True)
class Switch:
    """A running test Asterisk."""

    config: AsteriskConfig
    running: RunningAsterisk
    admission_port: int
    emergency_port: int
    """Of both trunks: 127.0.0.3 is the first's exchange, 127.0.0.4 the second's."""

    @property
    def ami_port(self) -> int:
        return self.config.ami_port

    @property
    def sip_port(self) -> int:
        return self.config.sip_port

    @property
    def server(self) -> tuple[str, int]:
        return self.config.bind, self.config.sip_port

    @property
    def secret(self) -> str:
        return self.config.secrets.manager

    def agent_secret(self, agent: str) -> str:
        return self.config.secrets.agents[agent]

    def cli(self, command: str) -> str:
        return process.cli(self.config, command)

    async def ask(self, command: str) -> str:
        """A console command, without blocking the loop."""
        return await asyncio.to_thread(self.cli, command)

    def channels(self) -> list[str]:
        listing = self.cli("core show channels concise")
        return [line for line in listing.splitlines() if "!" in line]


def start_switch(
    tree: AsteriskTree,
    home: Path,
    *,
    system_name: str = "test",
    emergency_timeout_s: int = 3,
    look_every_s: int = 10,
    nobody_after_s: int = 5,
    page_phones: tuple[str, ...] = (),
) -> Switch:
    """Render and start an Asterisk below ``home``."""
    made, admission_port, emergency_port = make_config(tree, home, system_name=system_name)
    config = replace(
        made,
        emergency_timeout_s=emergency_timeout_s,
        look_every_s=look_every_s,
        nobody_after_s=nobody_after_s,
        page_phones=page_phones,
    )
    write_prompts(config.prompts_dir)
    render(config)
    return Switch(config, process.start(config), admission_port, emergency_port)


def make_config(
    tree: AsteriskTree, home: Path, *, system_name: str = "test", agents: int = 3
) -> tuple[AsteriskConfig, int, int]:
    sip, ami, http, admission, emergency = free_ports(5)
    rtp_first = random.randrange(20_000, 50_000, RTP_BLOCK)
    names = tuple(str(1001 + n) for n in range(agents))
    config = AsteriskConfig(
        tree=tree,
        folder=home / "asterisk",
        run_dir=home / "run",
        log_dir=home / "logs",
        recordings_dir=home / "recordings",
        prompts_dir=home / "prompts",
        bind="127.0.0.1",
        sip_port=sip,
        ami_port=ami,
        http_port=http,
        rtp_first=rtp_first,
        rtp_last=rtp_first + RTP_BLOCK - 1,
        agents=names,
        trunk_addresses=("127.0.0.2",),
        emergency_trunk=f"127.0.0.3:{emergency}",
        emergency_trunk_2=f"127.0.0.4:{emergency}",
        admission_url=f"http://127.0.0.1:{admission}/internal/admission",
        secrets=AsteriskSecrets(
            manager="manager-secret-of-the-test",
            dialplan=DIALPLAN_SECRET,
            agents={name: f"secret-of-{name}" for name in (*names, LEADER)},
        ),
        system_name=system_name,
        leader_phones=(LEADER,),
        queues=QUEUES,
        lines_out=LINES_OUT,
        outbound_trunk=f"127.0.0.5:{emergency}",
        consult_timeout_s=3,
        ring_timeout_s=2,
        wrapup_s=0,
        nobody_after_s=5,
        look_every_s=10,
        often_ages_s=6,
        choice_s=2,
        voicemail_most_s=10,
        satisfaction_s=2,
        return_ring_s=4,
        emergency_timeout_s=3,
        emergency_choice_s=2,
    )
    return config, admission, emergency


def write_prompts(folder: Path) -> None:
    """A short tone for each prompt."""
    for name in PROMPTS:
        length_s = PROMPT_LENGTH_S.get(name, 0.2)
        tones.write_wav(prompt_path(folder, name), tones.tone(PROMPT_HZ.get(name, 300.0), length_s))


def free_ports(count: int) -> list[int]:
    """Ports free for UDP and TCP at this moment."""
    held: list[socket.socket] = []
    ports: list[int] = []
    while len(ports) < count:
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        tcp.bind(("127.0.0.1", 0))
        port = tcp.getsockname()[1]
        held.append(tcp)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            try:
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
        ports.append(port)
    for each in held:
        each.close()
    return ports


async def until(
    what: Callable[[], object], *, timeout_s: float = PATIENCE_S, why: str = ""
) -> None:
    """Wait until ``what()`` is true."""
    deadline_mono = time.monotonic() + timeout_s
    while not what():
        if time.monotonic() > deadline_mono:
            raise AssertionError(f"did not come true within {timeout_s} s: {why or what}")
        await asyncio.sleep(POLL_S)


def loudness(samples: Samples, frequency_hz: float, *, window_s: float = 0.1) -> float:
    """The loudest moment of one pitch, as a share of a full-scale sine."""
    size = int(window_s * 8000)
    if len(samples) < size:
        return 0.0
    frames = samples[: len(samples) // size * size].reshape(-1, size).astype(np.float64) / 32767
    at = np.arange(size) / 8000
    carrier = np.exp(-2j * np.pi * frequency_hz * at)
    return float(np.abs(frames @ carrier).max() * 2 / size)


def hears(samples: Samples, frequency_hz: float) -> bool:
    return loudness(samples, frequency_hz) > 0.08


async def until_heard(
    call: PhoneCall, frequency_hz: float, *, timeout_s: float = PATIENCE_S
) -> None:
    """Wait until the phone hears that pitch."""
    await until(
        lambda: hears(call.heard_pcm, frequency_hz),
        timeout_s=timeout_s,
        why=f"a tone of {frequency_hz:g} Hz is heard",
    )
