"""SIPp as citizens and agents: thousands of calls without a phone of ours in the way.

What SIPp counts is believed: a citizen is served when an agent's SIPp ended the call by its own
script. No sound is sent, so that the machine's time goes to the product and Asterisk.
"""

import csv
import shutil
import signal
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from base.errors import SetupError
from server.services.port_check import is_free

SCENARIOS = Path(__file__).resolve().parent / "sipp"
STOP_S = 5.0
SOUND_MARK = "<!--SOUND-->"
SERVED = "served(C)"
VIDEO_AFTER_AUDIO = 2
"""SIPp opens this second media port whatever the scenario says, and ends where it is taken."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One SIPp's counters."""

    created: int = 0
    succeeded: int = 0
    failed: int = 0
    served: int = 0
    """Of the agents' SIPp: callers who were talked with to the end."""

    @property
    def current(self) -> int:
        return self.created - self.succeeded - self.failed


@dataclass(slots=True)
class Sipp:
    """One running SIPp; its statistics lie in ``folder``."""

    folder: Path
    name: str
    server: str
    """Host and port of Asterisk."""
    address: str
    """Its own."""
    options: tuple[str, ...] = ()
    scenario: str = ""
    sound: Path | None = None
    """A-law that this side sends while it talks; None: silence."""
    port: int = field(init=False)
    """On which it listens, through all its starts."""
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.port = free_udp_port(self.address)

    @property
    def statistics(self) -> Path:
        return self.folder / f"{self.name}.csv"

    def start(self) -> None:
        """Start it; each start begins new statistics."""
        self.statistics.unlink(missing_ok=True)
        scenario = self._scenario()
        media_port = free_udp_port(self.address, and_after=VIDEO_AFTER_AUDIO)
        with (self.folder / f"{self.name}.out").open("ab") as out:
            self._process = subprocess.Popen(
                [
                    *(sipp_binary(), self.server, "-sf", str(scenario), "-i", self.address),
                    *("-p", str(self.port), "-mi", self.address, "-mp", str(media_port)),
                    *("-nostdin", "-trace_stat", "-stf", str(self.statistics), "-fd", "1"),
                    *("-trace_err", "-error_file", str(self.folder / f"{self.name}.errors")),
                    *self.options,
                ],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def _scenario(self) -> Path:
        text = (SCENARIOS / f"{self.scenario or self.name}.xml").read_text(encoding="utf-8")
        if self.sound is not None:
            play = f'<nop><action><exec rtp_stream="{self.sound},-1,8"/></action></nop>'
            text = text.replace(SOUND_MARK, play)
        path = self.folder / f"{self.name}.xml"
        path.write_text(text, encoding="utf-8")
        return path

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def figures(self) -> Figures:
        """What it has counted, at most a second old; final once it has ended."""
        try:
            text = self.statistics.read_text(encoding="latin-1")
        except FileNotFoundError:
            return Figures()
        written, _, _ = text.rpartition("\n")  # a row that is being written may end in a number
        rows = list(csv.DictReader(written.splitlines(), delimiter=";"))
        if not rows:
            return Figures()
        last = rows[-1]
        return Figures(
            created=int(last["TotalCallCreated"]),
            succeeded=int(last["SuccessfulCall(C)"]),
            failed=int(last["FailedCall(C)"]),
            served=int(last.get(SERVED) or 0),
        )

    def wait(self, *, timeout_s: float) -> bool:
        """Wait for its own end; False where it goes on."""
        assert self._process is not None
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def said(self) -> str:
        """The end of what it printed, and of its errors: why it ended by itself."""
        files = (self.folder / f"{self.name}.out", self.folder / f"{self.name}.errors")
        return "\n".join(
            file.read_text("utf-8", errors="replace")[-2000:] for file in files if file.exists()
        )

    def begin_no_more(self) -> None:
        """Ask for no new calls; those that are on go to their end."""
        if self.is_running:
            assert self._process is not None
            self._process.send_signal(signal.SIGUSR1)

    def stop(self) -> None:
        """End it, kindly first."""
        if self._process is None:
            return
        for number in (signal.SIGUSR1, signal.SIGKILL):
            if self._process.poll() is None:
                self._process.send_signal(number)
                self.wait(timeout_s=STOP_S)


def free_udp_port(address: str, *, and_after: int = 0) -> int:
    """A port of the kernel's choice which, like the one ``and_after`` it, nobody has now.

    A fixed place in the installation's block would be another installation's RTP port at times.
    """
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
            port = int(probe.getsockname()[1])
            if not and_after or is_free(address, port + and_after, udp=True):
                return port


def sipp_binary() -> str:
    found = shutil.which("sipp")
    if found is None:
        raise SetupError("there is no SIPp on this machine", fix="apt-get install -y sip-tester")
    return found
