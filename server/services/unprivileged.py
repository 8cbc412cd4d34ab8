"""PostgreSQL refuses to run as root: whom it runs as then, and where that user reaches its data."""

import hashlib
import os
import pwd
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

OUTSIDE_HOME = Path("/var/lib/hotline12345")
"""Used when root's installation lies in a folder that no other user may enter, such as /root."""


class Credentials(TypedDict, total=False):
    """Keyword arguments for ``subprocess``."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Account:
    """A user other than root. ``None`` in its place: we are not root and stay who we are."""

    uid: int
    gid: int

    @property
    def credentials(self) -> Credentials:
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        shutil.chown(path, self.uid, self.gid)

    def can_enter(self, folder: Path) -> bool:
        """Return whether every existing folder on the way lets this user pass."""
        return all(self._passes(part) for part in (folder, *folder.parents) if part.exists())

    def _passes(self, folder: Path) -> bool:
        status = folder.stat()
        if status.st_uid == self.uid:
            return bool(status.st_mode & 0o100)
        if status.st_gid == self.gid:
            return bool(status.st_mode & 0o010)
        return bool(status.st_mode & 0o001)


def unprivileged_account() -> Account | None:
    """Return whom to become; None when we are not root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    return Account(65534, 65534)


def reachable_folder(wanted: Path, account: Account | None) -> Path:
    """Return ``wanted``, or a stand-in that ``account`` can enter, always the same for it."""
    if account is None or account.can_enter(wanted.parent):
        return wanted
    mark = hashlib.sha256(os.fsencode(wanted.absolute())).hexdigest()[:12]
    return OUTSIDE_HOME / mark
