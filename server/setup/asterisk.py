"""Asterisk made ready: unpacked beside the product where none is there, then tried with a call."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from server.settings import Settings
from telephony.probe import probe
from telephony.tree import MANIFEST_NAME, AsteriskTree, ensure_tree, find_installed, open_tree

STAMP = ".asterisk-probed"
"""In ``tools``: which Asterisk the last successful probe call went through."""

Say = Callable[[str], None]


def ensure_asterisk(settings: Settings, say: Say) -> None:
    """Unpack Asterisk unless one is there; make one probe call through each new one."""
    folder = settings.tools / "asterisk"
    tree = open_tree(folder) or find_installed()
    if tree is None:
        say("fetching and unpacking Asterisk 22 (once; 42 MB from Debian) …")
        tree = ensure_tree(folder)
    if not is_probed(tree, settings.tools):
        say("a probe call through Asterisk (once) …")
        probe(tree)
        (settings.tools / STAMP).write_text(_mark(tree))


def is_probed(tree: AsteriskTree, tools: Path) -> bool:
    """Return whether a probe call went through exactly this Asterisk."""
    try:
        return (tools / STAMP).read_text() == _mark(tree)
    except FileNotFoundError:
        return False


def _mark(tree: AsteriskTree) -> str:
    """Changes with another version or another build."""
    manifest = tree.root / MANIFEST_NAME
    if manifest.is_file():
        return hashlib.sha256(manifest.read_bytes()).hexdigest()
    return f"{tree.binary} {tree.version} {tree.binary.stat().st_mtime_ns}"
