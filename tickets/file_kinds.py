"""What a file is, by its first bytes. Pure.

The list of what a ticket may carry: pictures, sound, film and PDF. What a browser or an office
program would run (pages, scripts, macros, archives) is not in it. A name or a claimed type counts
for nothing.
"""

from dataclasses import dataclass

HEAD_BYTES = 16
"""As much as is looked at."""


@dataclass(frozen=True, slots=True)
class FileKind:
    """One kind of file that is taken."""

    media_type: str
    endings: tuple[str, ...]
    """The first is given to a name that has none of them."""


JPEG = FileKind("image/jpeg", (".jpg", ".jpeg"))
PNG = FileKind("image/png", (".png",))
WEBP = FileKind("image/webp", (".webp",))
HEIC = FileKind("image/heic", (".heic", ".heif"))
PDF = FileKind("application/pdf", (".pdf",))
MP4 = FileKind("video/mp4", (".mp4", ".m4v"))
QUICKTIME = FileKind("video/quicktime", (".mov",))
THREE_GP = FileKind("video/3gpp", (".3gp",))
M4A = FileKind("audio/mp4", (".m4a",))
MP3 = FileKind("audio/mpeg", (".mp3",))
WAV = FileKind("audio/wav", (".wav",))
AMR = FileKind("audio/amr", (".amr",))

_BEGINNINGS = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"%PDF-", PDF),
    (b"ID3", MP3),
    (b"\xff\xfb", MP3),
    (b"\xff\xf3", MP3),
    (b"\xff\xf2", MP3),
    (b"#!AMR", AMR),
)
_IN_RIFF = {b"WEBP": WEBP, b"WAVE": WAV}
_BRANDS = {
    b"heic": HEIC,
    b"heix": HEIC,
    b"mif1": HEIC,
    b"isom": MP4,
    b"iso2": MP4,
    b"iso5": MP4,
    b"iso6": MP4,
    b"avc1": MP4,
    b"mp41": MP4,
    b"mp42": MP4,
    b"M4V ": MP4,
    b"qt  ": QUICKTIME,
    b"M4A ": M4A,
}
"""Major brands of ISO 14496-12 files, which telephones make."""
KINDS = frozenset(
    {kind for _, kind in _BEGINNINGS} | {*_IN_RIFF.values(), *_BRANDS.values(), THREE_GP}
)


def kind_of(head: bytes) -> FileKind | None:
    """The kind of a file that begins like this; None: it is not taken."""
    for beginning, kind in _BEGINNINGS:
        if head.startswith(beginning):
            return kind
    if head[:4] == b"RIFF":
        return _IN_RIFF.get(head[8:12])
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        return THREE_GP if brand.startswith(b"3g") else _BRANDS.get(brand)
    return None


def named_as(kind: FileKind, name: str, most: int = 200) -> str:
    """A name of at most ``most`` characters with the kind's ending, without a path in it."""
    last = name.replace("\\", "/").rpartition("/")[2]
    shown = "".join(each for each in last if each.isprintable()).strip(" .") or "file"
    ending = "" if shown.lower().endswith(kind.endings) else kind.endings[0]
    return shown[-(most - len(ending)) :] + ending
