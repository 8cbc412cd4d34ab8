"""The file for the police: calls, recordings, steps and warnings of one number, signed as a whole.

A zip whose ``manifest.json`` names every other file with its SHA-256, and ``manifest.sig``, an
Ed25519 signature of the manifest by the key that seals the ledger; ``public_key.pem`` is inside
for convenience, the true one is had from the centre. Anybody checks it with sha256sum and

    openssl pkeyutl -verify -pubin -inkey public_key.pem -rawin -in manifest.json \
        -sigfile manifest.sig

Recordings are copied piece by piece, never held in memory. Must never leave a file behind that
nobody asked for.
"""

import asyncio
import hashlib
import os
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar, Final

import asyncpg
import msgspec
import structlog

from base.database import Database, storable
from base.errors import HotlineError, SetupError
from routing.nuisance import Taken
from server.nuisance import NuisanceDesk
from server.signing import Signer
from server.suspensions import SQL

log = structlog.get_logger(__name__)

MOST_CALLS: Final = 1_000
MOST_BYTES: Final = 512 * 2**20
PIECE_BYTES: Final = 2**20


class EvidenceTooLarge(HotlineError):
    """More than one file can hold: ask for fewer days."""

    code: ClassVar[str] = "evidence_too_large"
    http_status: ClassVar[int] = 422


class NotSigned(HotlineError):
    """This machine cannot sign."""

    code: ClassVar[str] = "evidence_not_signed"
    http_status: ClassVar[int] = 503


class EvidenceMaker:
    """Puts such files together in ``work``."""

    def __init__(
        self,
        database: Database,
        desk: NuisanceDesk,
        *,
        recordings: Path,
        work: Path,
        signer: Signer,
        public_key: Path,
    ) -> None:
        self._database = database
        self._desk = desk
        self._recordings = recordings
        self._signer = signer
        self._public_key = public_key
        self._work = work

    async def make(self, number: str, *, taken: Taken, by: str, reason: str, days: int) -> Path:
        """The finished file; whoever asked removes it."""
        now = datetime.now(UTC)
        calls = await self._database.fetch(
            SQL["calls_of_caller"], storable(number), now - timedelta(days=days), MOST_CALLS + 1
        )
        if len(calls) > MOST_CALLS:
            raise EvidenceTooLarge(calls=len(calls))
        facts = {
            "made_at": now,
            "made_by": by,
            "reason": reason,
            "caller_number": number,
            "days": days,
            "law": taken.card,
            "pack": f"{self._desk.pack.id} {self._desk.pack.version}",
        }
        documents = {
            "case.json": _json(facts),
            "calls.json": _json([dict(row) for row in calls]),
            "steps.json": _json(await self._desk.steps(number)),
        }
        sounds = [row for row in calls if row["recording_path"]]
        return await asyncio.to_thread(self._write, documents, sounds)

    def _write(self, documents: Mapping[str, bytes], sounds: Sequence[asyncpg.Record]) -> Path:
        self._work.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._work) as folder:
            made = Path(folder) / "evidence.zip"
            self._fill(made, Path(folder) / "manifest.json", documents, sounds)
            handle, name = tempfile.mkstemp(suffix=".zip", dir=self._work)
            os.close(handle)
            return made.replace(name)

    def _fill(
        self,
        made: Path,
        manifest: Path,
        documents: Mapping[str, bytes],
        sounds: Sequence[asyncpg.Record],
    ) -> None:
        files: dict[str, dict[str, object]] = {}
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in documents.items():
                archive.writestr(name, content)
                files[name] = {"sha256": hashlib.sha256(content).hexdigest()}
            for row in sounds:
                name = f"recordings/{Path(row['recording_path']).name}"
                files[name] = self._copy(archive, name, row)
                if made.stat().st_size > MOST_BYTES:
                    raise EvidenceTooLarge(bytes=made.stat().st_size)
            manifest.write_bytes(_json({"files": files}))
            archive.write(manifest, "manifest.json")
            archive.writestr("manifest.sig", self._signed(manifest.read_bytes()))
            archive.write(self._public_key, "public_key.pem")

    def _signed(self, manifest: bytes) -> bytes:
        try:
            self._signer.ensure_key()
            return self._signer.sign(manifest)
        except SetupError as error:
            log.error("evidence_not_signed", cause=error.message, fix=error.fix)
            raise NotSigned from error

    def _copy(self, archive: zipfile.ZipFile, name: str, row: asyncpg.Record) -> dict[str, object]:
        """A recording with its hash now beside the one noted after the call."""
        noted = {"call": row["id"], "sha256_after_call": row["recording_sha256"]}
        path = (self._recordings / str(row["recording_path"])).resolve()
        if not path.is_relative_to(self._recordings.resolve()) or not path.is_file():
            return {**noted, "missing": True}
        digest = hashlib.sha256()
        with path.open("rb") as sound, archive.open(name, "w") as target:
            while piece := sound.read(PIECE_BYTES):
                digest.update(piece)
                target.write(piece)
        return {**noted, "sha256": digest.hexdigest()}


def _json(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"
