"""Does an unpacked Asterisk bring every library it links? Asked of its own loader.

The loader falls back to the machine's folders where the tree lacks a library: on a machine that
happens to have it all works, on a bare one Asterisk does not start. So what is found outside the
tree counts as missing.
"""

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

LIST_TIMEOUT_S = 20.0
_FOUND = re.compile(r"^\s*(\S+) => (\S+) \(0x", re.MULTILINE)
_MISSING = re.compile(r"loading shared libraries: (\S+): cannot open")


def foreign_libraries(
    root: Path, loader: Path, library_dir: Path, files: Iterable[Path]
) -> list[str]:
    """Return the libraries that ``files`` need and that do not lie below ``root``."""
    command = [str(loader), "--inhibit-cache", "--library-path", str(library_dir), "--list"]
    foreign: set[str] = set()
    for file in files:
        done = subprocess.run(
            [*command, str(file)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=LIST_TIMEOUT_S,
            check=False,
        )
        if done.returncode != 0:
            missing = _MISSING.search(done.stderr)
            foreign.add(missing[1] if missing else f"what {file.name} needs")
        foreign |= {
            name
            for name, path in _FOUND.findall(done.stdout)
            if not Path(path).is_relative_to(root) and not name.startswith("/")
        }
    return sorted(foreign)
