"""Who outside is told, and where: one file, ``outside_file`` (docs/OPERATIONS.md shows one).

Parsed once; whatever is wrong with it is a ``SetupError`` that names it. Without a file nothing
leaves the house. Secrets are not in it: each endpoint's lies among the installation's.
"""

import ipaddress
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

import msgspec

from base.errors import SetupError
from base.ids import UnitId
from tickets.public_moves import PUBLIC_MOVES, Subscriber

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_.]{0,63}$")]
SMS_SECRET: Final = "sms_gateway"


class SmsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The carrier's gateway, CMPP 2.0."""

    gateway: Annotated[str, msgspec.Meta(pattern=r"^[^\s:]+:[0-9]{1,5}$")]
    account: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z]{1,6}$")]
    number: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{3,20}$")]
    """From which the messages come."""
    service: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z]{0,10}$")] = ""

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.gateway.rpartition(":")
        return host, int(port)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An address that takes signed messages."""

    name: str
    url: str

    @property
    def secret_name(self) -> str:
        return f"webhook_{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """Everybody outside."""

    sms: SmsSettings | None
    units: dict[UnitId, Endpoint]
    subscribers: tuple[Subscriber, ...]
    endpoints: dict[str, Endpoint]
    """Of subscribers, by name."""

    def everybody(self) -> list[Endpoint]:
        return [*self.units.values(), *self.endpoints.values()]


class _Unit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    unit: Name
    url: str


class _Subscriber(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    name: Name
    url: str
    moves: tuple[str, ...] = tuple(sorted(PUBLIC_MOVES))


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    sms: SmsSettings | None = None
    unit: tuple[_Unit, ...] = ()
    subscriber: tuple[_Subscriber, ...] = ()


NOBODY: Final = Outside(sms=None, units={}, subscribers=(), endpoints={})


def read_outside(path: Path) -> Outside:
    """Everybody whom the file names; without one, nobody."""
    if not path.is_file():
        return NOBODY
    try:
        file = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _File)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise SetupError(f"{path}: {error}", fix="mend it; docs/OPERATIONS.md shows one") from error
    endpoints = [(each.unit, each.url) for each in file.unit]
    endpoints += [(each.name, each.url) for each in file.subscriber]
    names = [name for name, _ in endpoints]
    if len({*names}) < len(names):
        raise SetupError(f"{path}: a unit or subscriber stands twice", fix="keep one of them")
    for name, url in endpoints:
        _check_url(path, name, url)
    for each in file.subscriber:
        if unknown := {*each.moves} - PUBLIC_MOVES:
            raise SetupError(
                f"{path}: {each.name} wants {', '.join(sorted(unknown))}, which is told to nobody",
                fix=f"choose of {', '.join(sorted(PUBLIC_MOVES))}",
            )
    return Outside(
        sms=file.sms,
        units={UnitId(e.unit): Endpoint(name=e.unit, url=e.url) for e in file.unit},
        subscribers=tuple(
            Subscriber(name=e.name, moves=frozenset(e.moves)) for e in file.subscriber
        ),
        endpoints={e.name: Endpoint(name=e.name, url=e.url) for e in file.subscriber},
    )


def _check_url(path: Path, name: str, url: str) -> None:
    """HTTPS; without it only to this machine, where a proxy may stand."""
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname and not parts.username:
        return
    if parts.scheme == "http" and _is_here(parts.hostname or ""):
        return
    raise SetupError(
        f"{path}: the address of {name} is no https:// address", fix="messages go encrypted only"
    )


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
