"""Where an Asterisk comes from: versions refused, packages kept and checked, mirrors chosen."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import msgspec
import pytest

from base.errors import SetupError
from telephony import debs, tree
from telephony.tree import AsteriskSource, check_version, ensure_tree, open_tree

GOOD_VERSION = "Asterisk 22.10.1+dfsg+~cs6.17.60671434-1"


@pytest.mark.parametrize(
    ("text", "version"),
    [(GOOD_VERSION, "22.10.1"), ("Asterisk 20.6.0~dfsg", "20.6.0"), ("Asterisk 23.0", "23.0")],
)
def test_version_is_read(text: str, version: str) -> None:
    assert check_version(text, least_major=20) == version


@pytest.mark.parametrize(
    "text", ["Asterisk 22.11.0", "Asterisk 22.11", "Asterisk 18.10.0", "command not found", ""]
)
def test_unfit_version_is_refused_with_a_fix(text: str) -> None:
    with pytest.raises(SetupError) as refusal:
        check_version(text, least_major=20)
    assert refusal.value.fix


def test_known_bad_version_says_why() -> None:
    with pytest.raises(SetupError, match="asterisk#2134"):
        check_version("Asterisk 22.11.2", least_major=22)


def test_only_22_is_taken_from_what_we_unpack() -> None:
    with pytest.raises(SetupError, match="22 is needed"):
        check_version("Asterisk 23.1.0", least_major=22, most_major=22)


LOADER = """\
#!/bin/sh
[ "$4" = --list ] && { echo "	libc.so.6 => ${LIBC:-$3/libc.so.6} (0x00)"; exit 0; }
shift 4
exec "$@"
"""


def make_packages(folder: Path, version: str = GOOD_VERSION) -> None:
    """A package that looks like Asterisk from outside: real .deb, stub program."""
    content = folder / "content"
    library = content / "usr/lib/x86_64-linux-gnu"
    modules = library / "asterisk/modules"
    modules.mkdir(parents=True)
    for name in tree.NEEDED_MODULES:
        (modules / name).touch()
    for path, script in (
        (library / "ld-linux-x86-64.so.2", LOADER),
        (content / "usr/sbin/asterisk", f"#!/bin/sh\necho '{version}'\n"),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(script)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    (content / "usr/share/doc/asterisk").mkdir(parents=True)
    (content / "DEBIAN").mkdir()
    (content / "DEBIAN/control").write_text(
        "Package: asterisk\nVersion: 22\nArchitecture: all\nMaintainer: t <t@t>\nDescription: t\n"
    )
    kept = folder / "asterisk-debs"
    kept.mkdir()
    subprocess.run(
        ["dpkg-deb", "-b", str(content), str(kept / "asterisk_22_all.deb")],
        check=True,
        capture_output=True,
    )
    package = debs.Package(
        name="asterisk",
        file="asterisk_22_all.deb",
        sha256=debs.sha256_of(kept / "asterisk_22_all.deb"),
    )
    index = {
        "schema": debs.INDEX_SCHEMA,
        "architecture": "amd64",
        "packages": [msgspec.to_builtins(package)],
    }
    (kept / debs.INDEX_NAME).write_bytes(msgspec.json.encode(index))


@pytest.fixture
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("asked the network")

    monkeypatch.setattr(debs, "_fetch", refuse)


@pytest.mark.usefixtures("_no_network")
def test_kept_packages_are_unpacked_without_network(tmp_path: Path) -> None:
    make_packages(tmp_path)
    made = ensure_tree(tmp_path / "asterisk", source=AsteriskSource.UNPACKED)
    assert made.version == "22.10.1"
    assert made.command(["-V"])[-1] == "-V"
    assert not (made.root / "usr/share/doc").exists()
    again = ensure_tree(tmp_path / "asterisk", source=AsteriskSource.UNPACKED)
    assert again == made
    manifest = msgspec.json.decode((made.root / tree.MANIFEST_NAME).read_bytes())
    assert manifest["packages"][0]["sha256"]


@pytest.mark.usefixtures("_no_network")
def test_refused_version_leaves_nothing_behind(tmp_path: Path) -> None:
    make_packages(tmp_path, "Asterisk 22.11.0")
    with pytest.raises(SetupError, match=r"22\.11\.0 is known to fail"):
        ensure_tree(tmp_path / "asterisk", source=AsteriskSource.UNPACKED)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"content", "asterisk-debs", tree.LOCK_NAME}


@pytest.mark.usefixtures("_no_network")
def test_tree_that_leans_on_the_machines_libraries_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_packages(tmp_path)
    monkeypatch.setenv("LIBC", "/lib/x86_64-linux-gnu/libc.so.6")
    with pytest.raises(SetupError, match=r"needs libc\.so\.6, which no package"):
        ensure_tree(tmp_path / "asterisk", source=AsteriskSource.UNPACKED)


def test_packages_kept_by_another_rule_are_fetched_anew(tmp_path: Path) -> None:
    make_packages(tmp_path)
    index = tmp_path / "asterisk-debs" / debs.INDEX_NAME
    index.write_text(index.read_text().replace(f'"schema":{debs.INDEX_SCHEMA}', '"schema":1'))
    assert debs.open_packages(tmp_path / "asterisk-debs") is None


def test_damaged_package_is_noticed(tmp_path: Path) -> None:
    make_packages(tmp_path)
    with (tmp_path / "asterisk-debs/asterisk_22_all.deb").open("ab") as package:
        package.write(b"x")
    assert debs.open_packages(tmp_path / "asterisk-debs") is None


@pytest.mark.usefixtures("_no_network")
def test_unpacking_cut_short_does_not_count(tmp_path: Path) -> None:
    make_packages(tmp_path)
    made = ensure_tree(tmp_path / "asterisk", source=AsteriskSource.UNPACKED)
    (made.root / tree.MANIFEST_NAME).unlink()
    assert open_tree(tmp_path / "asterisk") is None
    assert ensure_tree(tmp_path / "asterisk", source=AsteriskSource.UNPACKED) == made


@pytest.mark.usefixtures("_no_network")
def test_damaged_tree_is_unpacked_again(tmp_path: Path) -> None:
    make_packages(tmp_path)
    made = ensure_tree(tmp_path / "asterisk", source=AsteriskSource.UNPACKED)
    shutil.rmtree(made.modules_dir)
    assert ensure_tree(tmp_path / "asterisk", source=AsteriskSource.UNPACKED) == made


def test_installed_one_is_asked_for_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree, "find_installed", lambda: None)
    with pytest.raises(SetupError, match="installed on this machine"):
        ensure_tree(tmp_path / "asterisk", source=AsteriskSource.INSTALLED)


def test_mirrors_of_debian_alone_are_tried() -> None:
    listing = "\n".join(
        [
            "https://one.example/node|Nodesource",
            "https://two.example/debian|",
            "https://three.example/debian-security|Debian",
            "https://four.example/deb|Debian",
            "https://four.example/deb|Debian",
        ]
    )
    assert debs._likely_mirrors(listing) == [
        "https://four.example/deb",
        "https://two.example/debian",
    ]


def test_machine_without_a_mirror_is_told_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(debs, "machine_mirrors", list)
    with pytest.raises(SetupError) as refusal:
        debs.ensure_packages(tmp_path / "debs")
    assert "asterisk-debs" in refusal.value.fix


def test_hooks_of_the_machines_apt_are_not_run(tmp_path: Path) -> None:
    text = debs._apt_conf(tmp_path, "amd64")
    assert 'Dir::Etc::parts "/dev/null";' in text
    assert "Post-Invoke" not in text
    assert os.fspath(tmp_path) in text
