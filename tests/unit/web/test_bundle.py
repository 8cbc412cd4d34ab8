"""The committed bundle is what the sources build, byte for byte, and the browser's own tests pass.

Needs node and npm, and the packages of the lock file from npm's cache or the registry; without them
the tests are skipped and say why.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
WEB = ROOT / "web"
INSTALL_TIMEOUT_S = 240
STEP_TIMEOUT_S = 120
OLDEST_NODE = {20: 19, 22: 12}
"""Vite's floor: major version → minor version."""

pytestmark = pytest.mark.timeout(INSTALL_TIMEOUT_S + STEP_TIMEOUT_S)


def _run(command: list[str], folder: Path, timeout_s: int) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, cwd=folder, timeout=timeout_s, check=False, capture_output=True, text=True
    )


def _require_node() -> None:
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("no node or npm: the committed bundle is served as it is")
    version = _run(["node", "--version"], ROOT, 30).stdout.strip()
    major, minor = (int(part) for part in version.lstrip("v").split(".")[:2])
    if major < min(OLDEST_NODE) or minor < OLDEST_NODE.get(major, 0):
        pytest.skip(f"node {version} is older than Vite takes; 20.19 or 22.12 is needed")


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh copy of the sources elsewhere, so that the place cannot matter, with its packages."""
    _require_node()
    copy = tmp_path_factory.mktemp("console") / "web"
    shutil.copytree(WEB, copy, ignore=shutil.ignore_patterns("node_modules", "dist"))
    shutil.copytree(ROOT / "tests" / "vectors", copy.parent / "tests" / "vectors")
    install = ["npm", "ci", "--prefer-offline", "--ignore-scripts", "--fetch-retries=1"]
    try:
        done = _run(install, copy, INSTALL_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm ci did not end within {INSTALL_TIMEOUT_S} s")
    if done.returncode != 0:
        pytest.skip(f"npm ci failed, so nothing was built: {done.stderr.strip()[-300:]}")
    return copy


def test_the_committed_bundle_is_what_the_sources_build(web: Path) -> None:
    done = _run(["npm", "run", "bundle"], web, STEP_TIMEOUT_S)
    assert done.returncode == 0, done.stdout + done.stderr
    assert _files(web / "dist") == _files(WEB / "dist"), "stale: cd web && npm ci && npm run build"


def test_the_types_of_the_page_agree(web: Path) -> None:
    done = _run(["npm", "run", "check"], web, STEP_TIMEOUT_S)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_page_passes_its_own_tests(web: Path) -> None:
    done = _run(["npm", "test"], web, STEP_TIMEOUT_S)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_bundle_needs_no_other_host_and_no_inline_script() -> None:
    page = (WEB / "dist" / "index.html").read_text("utf-8")
    assert re.findall(r"<script(?![^>]*\bsrc=)", page) == []
    assert "<style" not in page
    assert re.findall(r"""(?:src|href)=["'](?!\./)""", page) == [], "an address is not relative"


def test_the_lock_file_names_no_registry() -> None:
    lock = json.loads((WEB / "package-lock.json").read_text("utf-8"))
    resolved = {name for name, package in lock["packages"].items() if "resolved" in package}
    assert resolved == set()


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
