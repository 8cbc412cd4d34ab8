"""Rendering asterisk-conf: what may go in, what must come out."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from base.errors import SetupError
from telephony import tones
from telephony.config import (
    MANAGER_EVENTS,
    MANAGER_EVENTS_OFF,
    AsteriskConfig,
    AsteriskSecrets,
    render,
    templates_dir,
)
from telephony.emergency_lines import EMERGENCY_LINES
from telephony.prompts import PROMPTS, check_prompts, prompt_path
from telephony.queue_config import QueueConfig
from telephony.tree import AsteriskSource, AsteriskTree

Make = Callable[..., AsteriskConfig]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def build(**changes: object) -> AsteriskConfig:
        tree = AsteriskTree(
            version="22.10.1",
            source=AsteriskSource.UNPACKED,
            root=tmp_path,
            binary=tmp_path / "usr/sbin/asterisk",
            modules_dir=tmp_path / "modules",
            data_dir=tmp_path / "share",
        )
        values: dict[str, object] = {
            "tree": tree,
            "folder": tmp_path / "asterisk",
            "run_dir": tmp_path / "run",
            "log_dir": tmp_path / "log",
            "recordings_dir": tmp_path / "recordings",
            "prompts_dir": tmp_path / "prompts",
            "bind": "127.0.0.1",
            "sip_port": 15060,
            "ami_port": 15038,
            "http_port": 18088,
            "rtp_first": 20000,
            "rtp_last": 20999,
            "agents": ("1001", "1002"),
            "trunk_addresses": ("127.0.0.2", "203.0.113.0/28"),
            "emergency_trunk": "127.0.0.3:5060",
            "admission_url": "http://127.0.0.1:12345/internal/admission",
            "secrets": AsteriskSecrets(
                manager="manager-secret",
                dialplan="dialplan-secret",
                agents={"1001": "secret-1001", "1002": "secret-1002"},
            ),
        }
        return AsteriskConfig(**(values | changes))  # type: ignore[arg-type]

    return build


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    for name in PROMPTS:
        tones.write_wav(prompt_path(tmp_path / "prompts", name), tones.tone(400, 0.05))
    return tmp_path / "prompts"


@pytest.mark.parametrize(
    "changes",
    [
        {"agents": ("1001\n[x]", "1002")},
        {"agents": ("110",)},
        {"agents": ("12345",)},
        {"agents": ()},
        {"agents": ("1003",)},
        {"bind": "0.0.0.0;"},
        {"bind": "localhost"},
        {"trunk_addresses": ("127.0.0.2\n",)},
        {"trunk_addresses": ()},
        {"emergency_trunk": "127.0.0.3"},
        {"emergency_trunk": "127.0.0.3:5060;x=1"},
        {"emergency_trunk_2": "127.0.0.4"},
        {"admission_url": "http://127.0.0.1/x),System(true"},
        {"admission_url": "file:///etc/passwd"},
        {"system_name": "a b"},
        {"queues": (QueueConfig(name="hot line"),)},
        {"queues": (QueueConfig(name="hotline", numbers=("_X.",)),)},
        {"sip_port": 0},
        {"ami_port": 18088},
        {"rtp_last": 20005},
        {"recordings_dir": Path("/tmp/a,b")},
        {"log_dir": Path("relative")},
        {"page_phones": ("1003",)},
        {"secrets": AsteriskSecrets(manager="x\nwrite = all", dialplan="secret-1", agents={})},
        {"secrets": AsteriskSecrets(manager="secret-2", dialplan="x),System(y", agents={})},
        {"secrets": AsteriskSecrets(manager="secret-2", dialplan="secret-1", agents={"1001": ""})},
        {"run_dir": Path("/" + "long/" * 30)},
    ],
    ids=str,
)
def test_value_that_cannot_stand_in_a_configuration_is_refused(
    make: Make, changes: dict[str, object]
) -> None:
    with pytest.raises(SetupError) as refusal:
        make(**changes)
    assert refusal.value.fix


def test_secrets_do_not_show(make: Make) -> None:
    assert "manager-secret" not in repr(make())
    assert "secret-1001" not in repr(make())
    assert "dialplan-secret" not in repr(make())
    with pytest.raises(SetupError) as refusal:
        make(secrets=AsteriskSecrets(manager="short;1", dialplan="secret-1", agents={}))
    assert "short;1" not in str(refusal.value)


@pytest.mark.usefixtures("prompts")
def test_every_template_is_rendered_and_stale_files_go(make: Make) -> None:
    config = make()
    render(config)
    (config.etc / "old.conf").touch()
    render(config)
    made = {path.name for path in config.etc.iterdir()}
    assert made == {path.stem for path in templates_dir().glob("*.conf.j2")}
    assert all("{{" not in (config.etc / name).read_text() for name in made)


@pytest.mark.usefixtures("prompts")
def test_emergency_comes_first_and_needs_nothing_of_ours(make: Make) -> None:
    config = make()
    render(config)
    text = (config.etc / "extensions.conf").read_text()
    contexts = re.findall(r"^\[(\S+?)\]", text, flags=re.MULTILINE)
    assert contexts[:2] == ["general", "emergency"]
    for line in EMERGENCY_LINES:
        assert f"exten => {line},1," in text
    for entry in ("from-trunk", "from-agent"):
        body = text[text.index(f"[{entry}]") :].splitlines()[1]
        assert body == "include => emergency"


BEFORE_THE_DIAL = {"Set", "Goto", "GotoIf", "Gosub", "ExecIf", "UserEvent", "CELGenUserEvent"} | {
    "Ringing"
}
"""Applications that take no time and wait for nobody."""
AFTER_IT = {"Dial", "Return", "Hangup", "Answer", "Playback", "Background", "WaitExten", "Wait"}
BESIDE_A_TALK = {"Originate", "BridgeAdd", "Bridge"}
FUNCTIONS = {"CHANNEL", "CALLERID", "CDR", "SHARED", "CHANNEL_EXISTS", "IMPORT", "TIMEOUT", "LOCAL"}
FUNCTIONS |= {"IF", "CUT", "FILTER", "URIENCODE"}


@pytest.mark.usefixtures("prompts")
@pytest.mark.parametrize("second", [None, "127.0.0.4:5060"])
def test_emergency_uses_nothing_that_could_wait_for_the_product(
    make: Make, second: str | None
) -> None:
    config = make(emergency_trunk_2=second)
    render(config)
    text = (config.etc / "extensions.conf").read_text()
    way = text[text.index("[emergency]") : text.index("[from-trunk]")]
    steps = re.findall(r"^(?:exten => \w+,\d|\s*same => n)(?:\([\w-]+\))?,(.*)$", way, re.MULTILINE)
    assert len(steps) == len(re.findall(r" => ", way))
    applications = {step.partition("(")[0] for step in steps}
    assert applications <= BEFORE_THE_DIAL | AFTER_IT | BESIDE_A_TALK
    assert set(re.findall(r"\b([A-Z_]{2,})\(", way)) <= FUNCTIONS
    for begin, end in (("[emergency]", "Gosub(emergency-reach"), ("[emergency-reach]", "Dial(")):
        before = way[way.index(begin) : way.index(end)]
        used = re.findall(r"(?:1|n)(?:\([\w-]+\))?,(\w+)\(", before)
        assert set(used) <= BEFORE_THE_DIAL
    assert way.count("Dial(PJSIP/${ARG3}@emergency,") == 1
    assert way.count("Dial(PJSIP/${ARG3}@emergency-2,") == (second is not None)


@pytest.mark.usefixtures("prompts")
def test_only_agents_phones_have_the_emergency_codes(make: Make) -> None:
    config = make()
    render(config)
    sections = re.split(r"^(?=\[)", (config.etc / "pjsip.conf").read_text(), flags=re.MULTILINE)
    (with_codes,) = [each for each in sections if "DYNAMIC_FEATURES" in each]
    assert with_codes.startswith("[agent](!,media)")
    assert "DYNAMIC_FEATURES=emergency110#emergency119#emergency120#emergency122\n" in with_codes
    codes = re.findall(
        r"^(\w+) => \*(\d+),", (config.etc / "features.conf").read_text(), re.MULTILINE
    )
    assert codes == [(f"emergency{line}", line) for line in EMERGENCY_LINES]


@pytest.mark.usefixtures("prompts")
def test_a_page_is_a_phone_only_where_it_is_set_so(make: Make) -> None:
    config = make(page_phones=("1002",))
    render(config)
    text = (config.etc / "pjsip.conf").read_text("utf-8")
    kinds = dict(re.findall(r"^\[(100\d)\]\((desk|page)\)$", text, re.M))
    assert kinds == {"1001": "desk", "1002": "page"}
    secrets = dict(re.findall(r"^\[(100\d)\]\((secret|page-secret)\)$", text, re.M))
    assert secrets == {"1001": "secret", "1002": "page-secret"}
    page = text[text.index("[page](") :].split("[", 2)[1]
    assert {"webrtc = yes", "allow = alaw,ulaw"} <= set(page.splitlines())
    assert "context" not in page, "the same dialplan as for any phone"


@pytest.mark.usefixtures("prompts")
@pytest.mark.parametrize(("bind", "http"), [("127.0.0.5", "127.0.0.5"), ("0.0.0.0", "127.0.0.1")])
def test_asterisks_websocket_is_never_outside(make: Make, bind: str, http: str) -> None:
    config = make(bind=bind)
    render(config)
    assert f"bindaddr = {http}\n" in (config.etc / "http.conf").read_text("utf-8")


@pytest.mark.usefixtures("prompts")
def test_manager_hears_only_the_listed_events(make: Make) -> None:
    config = make()
    render(config)
    text = (config.etc / "manager.conf").read_text()
    assert text.count("eventfilter(action(include)") == len(MANAGER_EVENTS)
    assert f"\ndisabledevents = {','.join(MANAGER_EVENTS_OFF)}\n" in text
    assert not set(MANAGER_EVENTS) & set(MANAGER_EVENTS_OFF)
    assert "write = call,agent,reporting,originate" in text
    assert "secret = manager-secret" in text


@pytest.mark.usefixtures("prompts")
def test_wildcard_address_leaves_media_to_the_route(make: Make) -> None:
    config = make(bind="0.0.0.0")
    render(config)
    assert "media_address" not in (config.etc / "pjsip.conf").read_text()
    assert "permit = 127.0.0.1/32" in (config.etc / "manager.conf").read_text()


def test_every_sound_the_dialplan_plays_is_a_prompt() -> None:
    text = (templates_dir() / "extensions.conf.j2").read_text()
    played = set(re.findall(r"hotline/[a-z-]+", text))
    assert played - set(PROMPTS) == set()
    queue = (templates_dir() / "queues.conf.j2").read_text()
    assert set(re.findall(r"= (queue-[a-z]+)$", queue, flags=re.MULTILINE)) <= set(PROMPTS)


@pytest.mark.parametrize("fault", ["missing", "empty", "garbage", "wrong rate"])
def test_unfit_prompt_is_named(prompts: Path, fault: str) -> None:
    path = prompt_path(prompts, "digits/7")
    match fault:
        case "missing":
            path.unlink()
        case "empty":
            tones.write_wav(path, [])
        case "garbage":
            path.write_bytes(b"no sound")
        case _:
            data = bytearray(path.read_bytes())
            data[24:28] = (16000).to_bytes(4, "little")
            path.write_bytes(data)
    with pytest.raises(SetupError, match=r"7\.wav"):
        check_prompts(prompts)


def test_prompts_are_mandarin_or_nothing() -> None:
    for name, text in PROMPTS.items():
        assert re.fullmatch(r"[一-鿿零，。：]+", text), name
