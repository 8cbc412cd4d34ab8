"""The console's committed bundle, served as files with a strict content security policy."""

from pathlib import Path
from typing import Final

from aiohttp import web

BUNDLE: Final = Path(__file__).parent.parent.parent / "web" / "dist"

SECURITY_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}


async def add_security_headers(request: web.Request, response: web.StreamResponse) -> None:
    """On every answer (``on_response_prepare``)."""
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)


async def index(request: web.Request) -> web.FileResponse:
    """The one page; it finds its own way from the address."""
    return web.FileResponse(BUNDLE / "index.html", headers={"Cache-Control": "no-cache"})


def add_page(app: web.Application, bundle: Path = BUNDLE) -> None:
    """Serve the page at / and its files below /assets."""
    if (bundle / "assets").is_dir():
        app.router.add_static("/assets", bundle / "assets")
    app.router.add_get("/", index)
