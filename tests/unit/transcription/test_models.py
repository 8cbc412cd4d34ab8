"""Models: fetched from a maker that is a server of our own, checked, resumed, unpacked whole."""

import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from base.errors import SetupError
from transcription.model_download import download_model
from transcription.models import best_model, catalogue_entry, installed_models, models_dir

NAME = "vosk-model-small-cn-0.22"
ENTRY = catalogue_entry("cn-small")


def archive(*, top: str = NAME, extra: str | None = None) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as opened:
        for name in ("am/final.mdl", "conf/mfcc.conf", "graph/HCLr.fst", "graph/Gr.fst"):
            opened.writestr(f"{top}/{name}", name * 1000)
        if extra is not None:
            opened.writestr(extra, "x")
    return out.getvalue()


@dataclass
class Maker:
    """The maker's site."""

    zip: bytes = field(default_factory=archive)
    md5: str | None = None
    cut_after: int | None = None
    resumes: bool = True
    asked: list[str | None] = field(default_factory=list)
    url: str = ""

    def listing(self) -> bytes:
        md5 = self.md5 or hashlib.md5(self.zip).hexdigest()
        return json.dumps([{"name": NAME, "md5": md5, "size": len(self.zip)}]).encode()


@pytest.fixture
def maker() -> Iterator[Maker]:
    site = Maker()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.endswith(".json"):
                self._answer(200, site.listing())
                return
            wanted = self.headers["Range"]
            site.asked.append(wanted)
            begin = int(wanted[6:-1]) if wanted and site.resumes else 0
            self._answer(206 if begin else 200, site.zip[begin:], site.cut_after)

        def _answer(self, status: int, body: bytes, cut_after: int | None = None) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[:cut_after])

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_port}/models"
    yield site
    server.shutdown()
    server.server_close()
    thread.join()


def install(maker: Maker, tools: Path) -> Path:
    return download_model(ENTRY, tools, maker.url, lambda done, total: None)


def test_a_model_is_fetched_checked_and_becomes_the_best(maker: Maker, tmp_path: Path) -> None:
    assert install(maker, tmp_path) == models_dir(tmp_path) / "cn-small"
    assert best_model(tmp_path).name == "cn-small"
    assert not best_model(tmp_path).is_demo
    assert [path.name for path in models_dir(tmp_path).iterdir()] == ["cn-small"]


def test_a_cut_download_goes_on_where_it_stopped(maker: Maker, tmp_path: Path) -> None:
    maker.cut_after = 100
    with pytest.raises(SetupError):
        install(maker, tmp_path)
    assert installed_models(tmp_path) == []
    maker.cut_after = None
    install(maker, tmp_path)
    assert maker.asked == [None, "bytes=100-"]
    assert best_model(tmp_path).name == "cn-small"


def test_a_server_that_does_not_resume_is_read_from_the_beginning(
    maker: Maker, tmp_path: Path
) -> None:
    maker.cut_after = 100
    with pytest.raises(SetupError):
        install(maker, tmp_path)
    maker.cut_after, maker.resumes = None, False
    install(maker, tmp_path)
    assert best_model(tmp_path).name == "cn-small"


def test_an_archive_that_differs_from_the_makers_list_is_thrown_away(
    maker: Maker, tmp_path: Path
) -> None:
    maker.md5 = "0" * 32
    with pytest.raises(SetupError, match="checksum"):
        install(maker, tmp_path)
    assert list(models_dir(tmp_path).iterdir()) == []


@pytest.mark.parametrize("evil", ["../evil", "/evil", f"{NAME}/../../evil", "elsewhere/file"])
def test_an_archive_may_name_no_file_outside_its_folder(
    maker: Maker, tmp_path: Path, evil: str
) -> None:
    maker.zip = archive(extra=evil)
    with pytest.raises(SetupError, match="outside"):
        install(maker, tmp_path)
    assert installed_models(tmp_path) == []
    assert not (tmp_path / "evil").exists()


def test_an_archive_that_is_no_model_is_not_installed(maker: Maker, tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as opened:
        opened.writestr(f"{NAME}/README", "x")
    maker.zip = out.getvalue()
    with pytest.raises(SetupError, match="not a whole Vosk model"):
        install(maker, tmp_path)
    assert installed_models(tmp_path) == []


def test_without_a_network_the_fix_is_told(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="cannot be reached") as caught:
        download_model(ENTRY, tmp_path, "http://127.0.0.1:1/models", lambda done, total: None)
    assert "speech.model" in caught.value.fix


def test_wanting_what_is_not_there_tells_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(SetupError) as caught:
        best_model(tmp_path, "cn")
    assert "hotline model install cn" in caught.value.fix
    with pytest.raises(SetupError):
        best_model(tmp_path, "no-such-model")
    with pytest.raises(SetupError):
        best_model(tmp_path)


def test_a_directory_may_be_named_instead_of_a_model(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    assert best_model(tmp_path, str(own)).path == own
