"""``hotline logs``: the roles' structured logs as readable lines, and the services' own."""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from base.errors import SetupError
from server.installation import Installation
from server.settings import Settings
from server.settings_loader import load_settings

POLL_S = 0.3
_FIRST = ("timestamp", "level", "process", "event", "logger", "exception")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("logs", help="show logs, of all roles or of one process")
    parser.add_argument("process", nargs="?", help="bridge, web, speech, postgres, asterisk …")
    parser.add_argument("-f", "--follow", action="store_true")
    parser.add_argument("-n", "--lines", type=int, default=40, metavar="N")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    files = log_files(load_settings(), args.process)
    recent = [line for path in files for line in _last_lines(path, args.lines)]
    if len(files) > 1:
        recent.sort(key=_timestamp)
    for line in recent[-args.lines :]:
        print(readable(line))
    if args.follow:
        for line in _follow(files):
            print(readable(line), flush=True)
    return 0


def log_files(settings: Settings, process: str | None) -> list[Path]:
    """Return the newest log of ``process``, or of every one of our own roles."""
    own = sorted(settings.logs_dir.glob("*.log"))
    if process is None:
        return [path for path in own if path.stem not in ("valkey", "asterisk")]
    if process == "postgres" and (cluster := Installation(settings).postgres):
        own = sorted((cluster.root / "log").glob("*.log"), key=lambda p: p.stat().st_mtime)[-1:]
    elif process == "asterisk":
        own = sorted((settings.logs_dir / "asterisk").glob("messages.log"))
    else:
        own = [path for path in own if path.stem == process]
    if not own:
        raise SetupError(f"there is no log of {process} yet", fix="./hotline status")
    return own


def readable(line: str) -> str:
    """Return a JSON line as time, level, process, action and the rest; others as they are."""
    try:
        event = json.loads(line)
    except ValueError:
        return line
    if not isinstance(event, dict):
        return line
    rest = " ".join(f"{key}={value}" for key, value in event.items() if key not in _FIRST)
    head = f"{str(event.get('timestamp', ''))[11:23]} {event.get('level', ''):<7} "
    head += f"{event.get('process', ''):<10} {event.get('event', '')}"
    trace = (
        f"\n{json.dumps(event['exception'], ensure_ascii=False)}" if "exception" in event else ""
    )
    return f"{head} {rest}".rstrip() + trace


def _timestamp(line: str) -> str:
    try:
        return str(json.loads(line).get("timestamp", ""))
    except (ValueError, AttributeError):
        return ""


def _last_lines(path: Path, count: int) -> list[str]:
    return path.read_text(encoding="utf-8", errors="replace").splitlines()[-count:]


def _follow(files: list[Path]) -> Iterator[str]:
    """Yield what is added to any of the files; a rotated file is read from its beginning."""
    offsets = {path: path.stat().st_size for path in files}
    while True:
        for path in files:
            size = path.stat().st_size if path.exists() else 0
            if size < offsets[path]:
                offsets[path] = 0
            if size > offsets[path]:
                with path.open("rb") as file:
                    file.seek(offsets[path])
                    added = file.read()
                whole = added.rpartition(b"\n")[0]
                offsets[path] += len(whole) + 1 if whole else 0
                yield from whole.decode("utf-8", "replace").splitlines()
        sys.stdout.flush()
        time.sleep(POLL_S)
