"""What documents name exists, lists that belong together agree, no file names this machine."""

import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

from server.cli import VERBS

ROOT = Path(__file__).resolve().parents[2]
REFERENCES = ("README.md", "README.zh.md", "CONTRIBUTING.md", *map(str, ROOT.glob("docs/**/*.md")))
DOCUMENTS = sorted({ROOT / name for name in REFERENCES} | set(ROOT.glob("CHANGES/*.md")))

# Put together from parts, so that this file does not hold what it looks for.
REGISTRY_HOSTS = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("files", "pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("registry", "npmmirror", "com"),
        ("deb", "debian", "org"),
        ("archive", "ubuntu", "com"),
        ("proxy", "golang", "org"),
        ("registry", "yarnpkg", "com"),
        ("docker", "io"),
        ("ghcr", "io"),
    )
)
MACHINE_PATHS = tuple("/".join(("", *parts, "")) for parts in (("work",), ("home", "user")))
MIRROR_WORDS = ("debian", "npm", "pypi", "mirror")
"""In the host of an address: a place to fetch packages from."""
ROOMS = ("base", "insight", "routing", "rules", "server", "telephony", "tickets", "transcription")


@pytest.fixture(scope="module")
def committed() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )
    if listed.returncode != 0:
        pytest.skip(f"not a git clone, so nobody knows what is committed: {listed.stderr.strip()}")
    found = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [path for path in found if path.is_file()]


def _texts(paths: list[Path]) -> Iterator[tuple[Path, str]]:
    for path in paths:
        try:
            yield path, path.read_text("utf-8")
        except UnicodeDecodeError:
            continue


def _name(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match is not None
    return match[0]


def _direct_dependencies() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*chain(project["dependencies"], *project["optional-dependencies"].values())]
    page = json.loads((ROOT / "web" / "package.json").read_text("utf-8"))
    apart = [
        line
        for lock in ROOT.glob("requirements-*.lock")
        if lock.name != "requirements-dev.lock"
        for line in lock.read_text("utf-8").splitlines()
        if re.match(r"\w", line)
    ]
    return {_name(each) for each in (*wanted, *apart)} | {
        *page["dependencies"],
        *page["devDependencies"],
    }


def test_every_direct_dependency_has_its_reason() -> None:
    text = (ROOT / "docs" / "DEPENDENCIES.md").read_text("utf-8")
    rows = [line.split("|") for line in text.splitlines() if line.startswith("| `")]
    reasoned = {
        name
        for _, named, *reasons in rows
        if any(cell.strip() for cell in reasons)
        for name in re.findall(r"`([^`]+)`", named)
    }
    assert sorted(_direct_dependencies() - reasoned) == [], "no reason in docs/DEPENDENCIES.md"


def test_no_dependency_is_explained_that_is_not_there() -> None:
    text = (ROOT / "docs" / "DEPENDENCIES.md").read_text("utf-8")
    packages = (ROOT / "server" / "setup" / "packages.py").read_text("utf-8")
    packages += (ROOT / "hotline").read_text("utf-8")
    explained = {
        name
        for line in text.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`([^`]+)`", line.split("|")[1])
    }
    gone = [n for n in explained - _direct_dependencies() if not re.search(rf"\b{n}\b", packages)]
    assert sorted(gone) == []


def _sections(text: str) -> list[int]:
    return [len(mark) for mark in re.findall(r"^(#+) ", _without_code(text), re.MULTILINE)]


def _without_code(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def test_both_readmes_have_the_same_sections_commands_and_pictures() -> None:
    english = (ROOT / "README.md").read_text("utf-8")
    chinese = (ROOT / "README.zh.md").read_text("utf-8")
    assert _sections(english) == _sections(chinese)
    for pattern in (r"^```.*?^```", r"`(\./hotline [^`]*)`", r"\]\((docs/[^)]*)\)", r"\d\.\d+"):
        flags = re.MULTILINE | re.DOTALL
        assert re.findall(pattern, english, flags) == re.findall(pattern, chinese, flags)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_verb_that_is_named_exists(document: Path) -> None:
    named = set(re.findall(r"\./hotline ([a-z][a-z-]*)", document.read_text("utf-8")))
    assert sorted(named - VERBS.keys()) == []


def test_every_verb_stands_in_the_operators_list() -> None:
    text = (ROOT / "docs" / "OPERATIONS.md").read_text("utf-8")
    table = text.split("## Verbs", 1)[1].split("\n## ", 1)[0]
    first_cells = " ".join(line.split("|")[1] for line in table.splitlines() if "|" in line)
    missing = [verb for verb in VERBS if not re.search(rf"`{verb}\b", first_cells)]
    assert missing == ["supervise"], "supervise is internal; every other verb has its line"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    text = _without_code(document.read_text("utf-8"))
    targets = [link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text)]
    gone = [
        target
        for target in targets
        if target and "://" not in target and not (document.parent / target).exists()
    ]
    assert gone == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_and_test_that_is_named_exists(document: Path) -> None:
    wrong: list[str] = []
    path = ROOT
    for quoted in _quoted(document):
        named, _, test = quoted.partition("::")
        if re.fullmatch(rf"(tests|{'|'.join(ROOMS)})/[\w/]+\.\w+", named):
            path = ROOT / named
        elif re.fullmatch(r"test_\w+\.py", named):
            path = next(iter(ROOT.glob(f"tests/**/{named}")), ROOT / named)
        elif named or not test:
            continue
        if not path.is_file() or (test and f"def {test}(" not in path.read_text("utf-8")):
            wrong.append(quoted)
    assert wrong == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_and_name_in_it_that_is_named_exists(document: Path) -> None:
    wrong = []
    for quoted in _quoted(document):
        if not re.fullmatch(rf"({'|'.join(ROOMS)})(\.\w+)+", quoted):
            continue
        source, names = _module(quoted)
        text = source.read_text("utf-8") if source.is_file() else ""
        if not all(re.search(rf"\b{name}\b", text) for name in names):
            wrong.append(quoted)
    assert wrong == []


def test_every_key_in_redis_is_in_the_table() -> None:
    text = (ROOT / "docs" / "ARCHITECTURE.md").read_text("utf-8")
    table = text.split("## Redis", 1)[1].split("\n## ", 1)[0]
    listed = {re.split("[<`]", line[3:])[0] for line in table.splitlines() if line[:3] == "| `"}
    used = {
        key
        for room in ROOMS
        for source in (ROOT / room).rglob("*.py")
        for key in re.findall(r"[\"'](hotline:[a-z:-]+)", source.read_text("utf-8"))
    }
    missing = [key for key in used if not any(each.startswith(key) for each in listed)]
    assert sorted(missing) == []


def _quoted(document: Path) -> list[str]:
    return re.findall(r"`([^`\n]+)`", _without_code(document.read_text("utf-8")))


def _module(dotted: str) -> tuple[Path, list[str]]:
    """The source of the longest prefix that is a module, and the names after it."""
    place, (*parts,) = ROOT, dotted.split(".")
    while parts and (place / parts[0]).is_dir():
        place /= parts.pop(0)
    if parts and (place / f"{parts[0]}.py").is_file():
        return place / f"{parts[0]}.py", parts[1:]
    return place / "__init__.py", parts


def test_nothing_committed_names_a_registry(committed: list[Path]) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {host}"
        for path, text in _texts(committed)
        for host in REGISTRY_HOSTS
        if host in text
    ]
    assert wrong == []


def test_nothing_committed_names_a_mirror_by_its_address(committed: list[Path]) -> None:
    address = re.compile(rf"https?://[\w.-]*(?:{'|'.join(MIRROR_WORDS)})[\w.-]*/")
    wrong = [
        f"{path.relative_to(ROOT)}: {found[0]}"
        for path, text in _texts(committed)
        for found in address.finditer(text)
        if "example" not in found[0] and ".test/" not in found[0]
    ]
    assert wrong == []


def test_nothing_committed_names_a_path_of_this_machine(committed: list[Path]) -> None:
    own = f"{ROOT}/"
    places = (*MACHINE_PATHS, *([own] if own.count("/") > 2 else []))
    wrong = [
        f"{path.relative_to(ROOT)}: {place}"
        for path, text in _texts(committed)
        for place in places
        if re.search(rf"(?<![\w.]){re.escape(place)}", text)
    ]
    assert wrong == []
