"""A scratch installation for the soak: the whole product in a folder of its own, made to be hurt.

Short prompts (a caller reaches the queue within two seconds), many agents, and the AMI proxy
between the bridge and Asterisk. Never touches another installation: all ports are its own.
"""

import asyncio
import os
import shutil
import tempfile
import wave
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.soak_register import register_from
from bench.soak_sipp import Sipp
from server.commands.up import bring_up_services
from server.secrets_store import secrets_of
from server.settings import Settings
from server.settings_loader import load_settings
from server.settings_options import REPOSITORY_VARIABLES
from server.setup.prompts import STAMP, prompts_mark
from telephony import tones
from telephony.prompts import PROMPTS, prompt_path
from tests.conftest import MEMORY, free_port_base, has_room
from tests.faults.ami_proxy import AmiProxy
from tests.system.product import Product

PROMPT_S = 0.1
AGENTS = "127.0.0.1"
CITIZENS = "127.0.0.2"
"""The trunk's address (`trunk_addresses`)."""


@dataclass(slots=True)
class Soaked:
    """One scratch installation, up and running."""

    product: Product
    proxy: AmiProxy
    folder: Path

    @property
    def settings(self) -> Settings:
        return self.product.settings

    def sipp(self, name: str, *options: str, scenario: str = "") -> Sipp:
        """A SIPp at the agents' address, or at the citizens'."""
        return Sipp(
            folder=self.folder,
            name=name,
            server=f"{self.settings.service_host}:{self.settings.ports.sip}",
            address=AGENTS if name == "agent" else CITIZENS,
            options=options,
            scenario=scenario,
        )

    def agents(self, *, talk_ms: int) -> Sipp:
        """All agents' phones, registered and answering."""
        sipp = self.sipp("agent", "-d", str(talk_ms))
        secrets = secrets_of(self.settings)
        passwords = {agent: secrets.read(f"sip-{agent}") for agent in self.settings.agents}
        server = (self.settings.service_host, self.settings.ports.sip)
        register_from((sipp.address, sipp.port), server, passwords)
        sipp.start()
        return sipp

    def citizens(self, *, rate: float, calls: int | None = None) -> Sipp:
        """Citizens who call at ``rate`` a second until stopped, or ``calls`` in all."""
        most = () if calls is None else ("-m", str(calls))
        return self.sipp("citizen", "-s", "12345", "-r", f"{rate:g}", "-l", "300", *most)


def short_prompts(folder: Path) -> None:
    """A moment of sound for every prompt."""
    beep = tones.tone(800.0, PROMPT_S)
    for name in PROMPTS:
        path = prompt_path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(path), "wb") as sound:
            sound.setparams((1, 2, tones.RATE_HZ, 0, "NONE", ""))
            sound.writeframes(beep.tobytes())
    (folder / STAMP).write_text(prompts_mark())


def scratch_tools(tools: Path, scratch: Path) -> None:
    """The tools of the machine, with prompts of our own."""
    scratch.mkdir()
    for part in tools.iterdir():
        if part.name != "prompts":
            (scratch / part.name).symlink_to(part)
    short_prompts(scratch / "prompts")


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set variables for what is started meanwhile."""
    saved = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in saved.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def settings_variables(values: Mapping[str, str]) -> Iterator[None]:
    """Let an installation be set by these alone, whatever another in this process was given."""
    aside = {
        name: os.environ.pop(name)
        for name in list(os.environ)
        if name.startswith("HOTLINE_") and name not in REPOSITORY_VARIABLES
    }
    try:
        with environment(values):
            yield
    finally:
        os.environ.update(aside)


@asynccontextmanager
async def soaked(
    tools: Path,
    *,
    agents: int = 60,
    speech: str = "off",
    home: Path | None = None,
    role_environment: Mapping[str, str] | None = None,
    settings_of_its_own: Mapping[str, str] | None = None,
    queues: str = "",
) -> AsyncIterator[Soaked]:
    """Bring the installation up in ``home``; afterwards take it down and remove its folder.

    ``queues`` is the text of its ``queues.toml``.
    """
    folder = await asyncio.to_thread(_make_folder, tools)
    values = {
        "HOTLINE_HOME": str(home or folder / "home"),
        "HOTLINE_TOOLS": str(folder / "tools"),
        "HOTLINE_PORT_BASE": str(free_port_base()),
        "HOTLINE_AGENTS": ",".join(str(2001 + number) for number in range(agents)),
        "HOTLINE_SPEECH_ENGINE": speech,
        "HOTLINE_SPEECH_MODEL": "demo-zh",
        "HOTLINE_SPEECH_WORKERS": "1",
        "HOTLINE_RING_TIMEOUT_S": "5",
        **(settings_of_its_own or {}),
    }
    if queues:
        plan = (home or folder / "home") / "queues.toml"
        await asyncio.to_thread(plan.write_text, queues, "utf-8")
    try:
        with settings_variables(values):
            settings = load_settings()
            async with _running(settings, folder, role_environment or {}) as it:
                yield it
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _make_folder(tools: Path) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="hotline-soak-", dir=_memory()))
    folder.chmod(0o711)  # PostgreSQL's user must be able to pass
    scratch_tools(tools, folder / "tools")
    (folder / "home").mkdir(mode=0o755)
    return folder


@asynccontextmanager
async def _running(
    settings: Settings, folder: Path, role_environment: Mapping[str, str]
) -> AsyncIterator[Soaked]:
    installation = await asyncio.to_thread(bring_up_services, settings, lambda _line: None)
    product = Product(settings, installation)
    try:
        async with AmiProxy(settings.ports.ami) as proxy:
            # The bridge alone is led through the proxy; Asterisk was rendered with its own port.
            with environment({"HOTLINE_PORT_AMI": str(proxy.port), **role_environment}):
                await asyncio.to_thread(product.start_roles)
                try:
                    yield Soaked(product, proxy, folder)
                finally:
                    await asyncio.to_thread(product.stop_roles)
    finally:
        await asyncio.to_thread(installation.stop, lambda _line: None)


def _memory() -> Path | None:
    return MEMORY if has_room(MEMORY) else None
