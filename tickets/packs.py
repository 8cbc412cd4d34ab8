"""Which law a ticket lives under: today's for a new one, for an old one the text it began with.

The texts are kept in the database with the first ticket of each, so that an edited or removed file
changes no ticket that is already under way (invariant 10).
"""

from collections.abc import Callable

from base.database import Connection
from base.errors import HotlineError
from rules.pack import Pack
from rules.pack_file import parse_pack
from tickets.facts import PackId
from tickets.store import SQL


class PackLost(HotlineError):
    """The rules that this ticket began under are not to be found."""

    code = "ticket_pack_lost"
    http_status = 500


class Packs:
    """The city's pack of today, and those of the tickets before."""

    def __init__(self, current: Callable[[], Pack]) -> None:
        self._current = current
        self._known: dict[tuple[str, str], Pack] = {}
        """Bounded by the versions a city ever had."""
        self._kept: set[tuple[str, str]] = set()
        """Those whose text was found in the database: committed, not merely written."""

    async def for_new(self, connection: Connection) -> Pack:
        """Today's pack, its text kept for as long as there are tickets under it."""
        pack = self._current()
        key = (pack.id, pack.version)
        if key not in self._kept:
            if await connection.fetchval(SQL["pack_text"], *key) is not None:
                self._kept.add(key)
            else:
                await connection.execute(SQL["keep_pack"], *key, pack.digest, pack.text)
        return pack

    async def of(self, connection: Connection, wanted: PackId) -> Pack:
        """The pack that a ticket began under."""
        key = (wanted.name, wanted.version)
        if key not in self._known:
            text = await connection.fetchval(SQL["pack_text"], *key)
            if text is None:
                raise PackLost(pack=wanted.name, version=wanted.version)
            pack = parse_pack(text, f"{wanted.name}.toml")
            if pack.digest != wanted.hash:
                raise PackLost(pack=wanted.name, version=wanted.version, why="changed")
            self._known[key] = pack
        return self._known[key]
