"""``hotline status``: what runs, since when, and whether it answers."""

import argparse
import json
from dataclasses import asdict, dataclass

from server.commands.up import console_address
from server.installation import Installation
from server.processes import is_healthy, roles_of, running
from server.settings import Settings
from server.settings_loader import load_settings


@dataclass(frozen=True, slots=True)
class Line:
    """One process of the installation."""

    name: str
    kind: str
    pid: int | None
    is_healthy: bool


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("status", help="what runs; exit code 3 unless all does")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    settings = load_settings()
    lines = collect(settings)
    is_up = all(line.is_healthy for line in lines)
    if args.json:
        report = {
            "up": is_up,
            "console": console_address(settings),
            "home": str(settings.home),
            "processes": [asdict(line) for line in lines],
        }
        print(json.dumps(report, ensure_ascii=False))
    else:
        for line in lines:
            state = "ok" if line.is_healthy else "down" if line.pid is None else "not answering"
            print(f"{line.name:<11} {line.kind:<8} {state:<14} {line.pid or ''}".rstrip())
        print(f"console     {console_address(settings) if is_up else '–'}")
    return 0 if is_up else 3


def collect(settings: Settings) -> list[Line]:
    services = Installation(settings).services
    lines = [Line(s.name, "service", pid, pid is not None) for s in services for pid in [s.pid()]]
    for role in ("supervisor", *roles_of(settings)):
        identity = running(settings, role)
        healthy = identity is not None if role == "supervisor" else is_healthy(settings, role)
        lines.append(Line(role, "role", identity.pid if identity else None, healthy))
    return lines
