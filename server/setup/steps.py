"""The steps of set-up in order; each is a no-op of milliseconds when its work is done."""

from collections.abc import Callable

from base.errors import SetupError
from server.secrets_store import ensure_secrets
from server.settings import Settings
from server.setup.asterisk import ensure_asterisk
from server.setup.models import ensure_demo_voices, ensure_speech_model, install_model
from server.setup.node import ensure_node
from server.setup.packages import (
    CHINESE_FONT,
    CHROMIUM,
    FAKETIME,
    LIBATOMIC,
    OPENSSL,
    POSTGRES,
    SIPP,
    ensure_packages,
)
from server.setup.prompts import ensure_prompts

Say = Callable[[str], None]


def prepare(settings: Settings, say: Say) -> None:
    """Everything that ``up`` needs."""
    make_folders(settings)
    ensure_secrets(settings)
    ensure_packages([OPENSSL], say)
    if settings.database_url is None:
        ensure_packages([POSTGRES], say)
    if settings.asterisk_address is None:
        ensure_asterisk(settings, say)
        ensure_prompts(settings, say)
    if settings.speech.engine != "off":
        _ensure_live_words(settings, say)


def prepare_for_tests(settings: Settings, say: Say) -> None:
    """Everything that ``test`` and ``shots`` need besides."""
    ensure_packages([POSTGRES, SIPP, CHROMIUM, LIBATOMIC, CHINESE_FONT, FAKETIME], say)
    prepare(settings, say)
    install_model("demo-zh", settings.tools, say)
    install_model("whisper-base", settings.tools, say)
    ensure_demo_voices(settings, say)
    ensure_node(settings.tools, say)


def _ensure_live_words(settings: Settings, say: Say) -> None:
    """Calls and drafts by hand work without a model: its lack is told, and stops nothing."""
    try:
        ensure_speech_model(settings, say)
    except SetupError as error:
        say(f"FAIL {error.message}\nfix: {error.fix}\ngoing on without live words")


def make_folders(settings: Settings) -> None:
    """Make the installation's folders; what others on this machine may not read is 0700."""
    settings.home.mkdir(parents=True, exist_ok=True)
    for folder in (settings.run_dir, settings.logs_dir, settings.recordings_dir):
        folder.mkdir(mode=0o700, exist_ok=True)
    settings.tools.mkdir(parents=True, exist_ok=True)
