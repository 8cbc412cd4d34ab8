"""The calendar of an installation: the announcements shipped, and those that were imported.

An imported announcement is one file in ``<home>/calendar``; it wins over the shipped one of its
year. What it replaces there is kept in ``earlier``, named by the version of the calendar that it
belonged to, so that a due time can be worked out again under the calendar it was given with.
"""

import os
from pathlib import Path

from base.errors import SetupError
from rules.announcement import Announcement, Status, as_toml, parse
from rules.calendar import Calendar, shipped

FOLDER = "calendar"
_EARLIER = "earlier"


def current_calendar(home: Path) -> Calendar:
    """The calendar that due times are worked out with."""
    return Calendar((*shipped().announcements, *_imported(home)))


def read_announcement(file: Path) -> Announcement:
    """One announcement from a file of somebody's."""
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"cannot read {file}: {error}", fix="give an announcement file") from None
    return parse(text, file.name)


def with_announcement(calendar: Calendar, announcement: Announcement) -> Calendar:
    """The calendar after an import; refused where it would take knowledge away."""
    year = announcement.year
    if not calendar.first.year <= year <= calendar.last.year + 1:
        raise SetupError(
            f"the calendar ends with {calendar.last.year}; a notice for {year} leaves a gap",
            fix=f"import the notice for {calendar.last.year + 1} first",
        )
    is_settled = year <= calendar.last.year and year not in calendar.provisional_years
    if is_settled and announcement.status is Status.PROVISIONAL:
        raise SetupError(
            f"{year} is announced already; this file is provisional",
            fix='set status = "announced" if it is a notice',
        )
    return calendar.with_announcement(announcement)


def keep_announcement(home: Path, announcement: Announcement) -> Path:
    """Write it where ``current_calendar`` finds it, in one step; returns the file."""
    folder = home / FOLDER
    file = folder / f"{announcement.year}.toml"
    folder.mkdir(parents=True, exist_ok=True)
    if file.exists():
        earlier = folder / _EARLIER
        earlier.mkdir(exist_ok=True)
        version = current_calendar(home).version
        (earlier / f"{announcement.year}.{version}.toml").write_bytes(file.read_bytes())
    new = file.with_suffix(".new")
    new.write_text(as_toml(announcement), "utf-8")
    os.replace(new, file)
    return file


def _imported(home: Path) -> list[Announcement]:
    return [read_announcement(file) for file in sorted((home / FOLDER).glob("*.toml"))]
