"""Who the agents are, for leaders' pages; read as ``hotline_web``."""

from pathlib import Path
from typing import Final

from base.database import Database
from base.ids import AgentId
from base.sql_files import load_sql

SQL: Final = load_sql(Path(__file__).parent / "sql" / "staff")


class Staff:
    """The people behind the agents' numbers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def names(self) -> dict[AgentId, str]:
        """Agent's number → name."""
        rows = await self._database.fetch(SQL["agent_names"])
        return {AgentId(row["agent"]): row["display_name"] for row in rows}
