"""The private Asterisk as a service: ``telephony`` renders and runs it, this file adds settings."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from base.errors import SetupError
from server.queue_file import plan_of
from server.secrets_store import secrets_of
from server.services.asterisk_queues import lines_out, queue_configs
from server.services.identity import ProcessId, process_working_in
from server.services.service import Begun
from server.settings import Settings
from telephony import process
from telephony.config import PID_NAME, AsteriskConfig, AsteriskSecrets, render
from telephony.log_rotation import keep_books, rotate_if_long
from telephony.tree import AsteriskTree, ensure_tree, find_installed, open_tree


@dataclass(frozen=True, slots=True)
class PrivateAsterisk:
    """Starts, adopts and stops the installation's own Asterisk."""

    settings: Settings
    name: str = "asterisk"

    def start(self) -> Begun:
        config = asterisk_config(self.settings, ensure_tree(self.settings.tools / "asterisk"))
        before = _configuration_mark(config)
        render(config)
        running = process.ensure_running(config)
        if running.adopted and _configuration_mark(config) != before:
            # Other settings since it was started: agents, trunks and queues are read anew, calls
            # go on. Ports need `down` and `up`.
            process.cli(config, "core reload")
        return Begun.ADOPTED if running.adopted else Begun.STARTED

    def stop(self) -> bool:
        identity = self.identity()
        if identity is None:
            return False
        config = self._known_config()
        if config is None or not process.stop(config):
            # Its tree was removed or replaced under it: no console to ask, the process is ours.
            identity.stop(grace_s=process.STOP_TIMEOUT_S)
        return True

    def pid(self) -> int | None:
        identity = self.identity()
        return identity.pid if identity else None

    def has_died(self) -> bool:
        return self.identity() is None and self._pid_file.exists()

    @property
    def _pid_file(self) -> Path:
        return _run_dir(self.settings) / PID_NAME

    def identity(self) -> ProcessId | None:
        """Read from the pid file; ours alone works in our Asterisk's folder."""
        try:
            number = int(self._pid_file.read_text())
        except (OSError, ValueError):
            return None
        return process_working_in(_folder(self.settings), number)

    def rotate_logs(self) -> bool:
        """Let Asterisk begin new log files where they are long; True where it did.

        Its books begin anew too, and their oldest parts go.
        """
        config = self._known_config() if self.pid() is not None else None
        if config is None:
            return False
        keep_books(config.log_dir, keep_days=self.settings.keep_days, now=datetime.now(UTC))
        return rotate_if_long(config)

    def _known_config(self) -> AsteriskConfig | None:
        """Return the configuration if set-up has been here; without it nothing of ours runs."""
        tree = open_tree(self.settings.tools / "asterisk") or find_installed()
        try:
            return asterisk_config(self.settings, tree) if tree else None
        except SetupError:
            return None


def _folder(settings: Settings) -> Path:
    return settings.home / "asterisk"


def _run_dir(settings: Settings) -> Path:
    return settings.run_dir / "asterisk"


def asterisk_of(settings: Settings) -> PrivateAsterisk:
    return PrivateAsterisk(settings)


def asterisk_config(settings: Settings, tree: AsteriskTree) -> AsteriskConfig:
    """Return what the templates need, from settings and secrets."""
    secrets = secrets_of(settings)
    plan = plan_of(settings)
    return AsteriskConfig(
        tree=tree,
        folder=_folder(settings),
        run_dir=_run_dir(settings),
        log_dir=settings.logs_dir / "asterisk",
        recordings_dir=settings.recordings_dir,
        prompts_dir=settings.tools / "prompts",
        bind=settings.bind,
        sip_port=settings.ports.sip,
        ami_port=settings.ports.ami,
        http_port=settings.ports.asterisk_http,
        rtp_first=settings.ports.rtp_first,
        rtp_last=settings.ports.rtp_last,
        agents=settings.agents,
        leader_phones=settings.leader_phones,
        page_phones=settings.page_phones,
        trunk_addresses=settings.trunk_addresses,
        emergency_trunk=settings.emergency_trunk,
        emergency_trunk_2=settings.emergency_trunk_2,
        often_ages_s=settings.throttle.ages_s,
        admission_url=f"http://{settings.service_host}:{settings.ports.http}/internal/admission",
        secrets=AsteriskSecrets(
            manager=secrets.read("ami"),
            dialplan=secrets.read("dialplan"),
            agents={phone: secrets.read(f"sip-{phone}") for phone in settings.phones},
        ),
        ring_timeout_s=settings.ring_timeout_s,
        outbound_trunk=settings.outbound_trunk,
        queues=queue_configs(plan, settings.agents),
        lines_out=lines_out(plan),
    )


def _configuration_mark(config: AsteriskConfig) -> str:
    digest = hashlib.sha256()
    for path in sorted(config.etc.glob("*.conf")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
