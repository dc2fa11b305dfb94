"""The order of the search, and downloads from a server on this computer."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from fastrnn.datasets import cache, imdb
from fastrnn.datasets.cache import PublicFile, download, locate

CONTENT = bytes(range(256)) * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    given_up = threading.Event()

    def do_GET(self) -> None:
        if self.path == "/missing":
            self.send_error(404)
            return
        self.send_response(200)
        if self.path != "/unsized":
            self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(
            CONTENT[: len(CONTENT) // 2] if self.path in ("/cut", "/hangs") else CONTENT
        )
        if self.path == "/hangs":
            self.given_up.wait(60)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{http.server_address[1]}"
        http.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, and no proxy on the way to the server."""
    for name in ("FASTRNN_DATA", "KERAS_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("no_proxy", "*")
    return tmp_path


def put(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(path.parent.parent.name)
    return path


def test_the_order_of_the_search(home: Path, monkeypatch: pytest.MonkeyPatch, server: str) -> None:
    public = PublicFile(f"{server}/file", SHA256)
    own = home / ".cache/fastrnn/datasets/f.npz"
    assert locate("f.npz", public) == own
    assert own.read_bytes() == CONTENT
    keras = put(home / ".keras/datasets/f.npz")
    assert locate("f.npz", public) == keras
    monkeypatch.setenv("KERAS_HOME", str(home / "k"))
    assert locate("f.npz", public) == own
    other = put(home / "k/datasets/f.npz")
    assert locate("f.npz", public) == other
    given = put(home / "data/f.npz")
    monkeypatch.setenv("FASTRNN_DATA", str(given.parent))
    assert locate("f.npz", public) == given
    assert locate(str(own), public) == own
    assert locate("~/data/f.npz", public) == given


def test_own_folder_follows_xdg(home: Path, monkeypatch: pytest.MonkeyPatch, server: str) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "c"))
    found = locate("f", PublicFile(f"{server}/file", SHA256))
    assert found == home / "c/fastrnn/datasets/f"


def test_a_path_that_does_not_exist_is_not_downloaded(home: Path) -> None:
    public = PublicFile("http://127.0.0.1:1/file", SHA256)
    with pytest.raises(FileNotFoundError, match=r"no file.*nowhere"):
        locate(home / "nowhere" / "f.npz", public)
    with pytest.raises(FileNotFoundError):
        imdb.load_data(home / "imdb.npz")


@pytest.mark.parametrize("digest", [SHA256, hashlib.md5(CONTENT).hexdigest()])
@pytest.mark.parametrize("path", ["/file", "/unsized"])
def test_download(
    path: str, digest: str, server: str, home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    target = download(PublicFile(server + path, digest), home / "a" / "b" / "f.npz")
    assert target.read_bytes() == CONTENT
    assert [p.name for p in target.parent.iterdir()] == ["f.npz"]
    assert f"Downloading {path[1:]}" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("path", "error", "message"),
    [
        ("/other", ValueError, "incomplete or corrupted.*hash must be 0000"),
        ("/cut", Exception, "incomplete|Could not download"),
        ("/missing", OSError, "Could not download.*404"),
    ],
)
def test_a_failed_download_leaves_nothing_and_says_what_to_do(
    path: str, error: type[Exception], message: str, server: str, home: Path
) -> None:
    digest = "0" * 64 if path == "/other" else SHA256
    target = home / "d" / "f.npz"
    with pytest.raises(error, match=message) as caught:
        download(PublicFile(server + path, digest), target)
    assert isinstance(caught.value, (OSError, ValueError))
    for advice in (f"Fetch {server}{path}", f"put it at `{target}`", "FASTRNN_DATA"):
        assert advice in str(caught.value)
    assert list(target.parent.iterdir()) == []


def test_a_server_that_stops_in_the_middle_is_given_up(
    home: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "_TIMEOUT", 0.2)
    try:
        with pytest.raises(OSError, match=r"Could not download.*timed out"):
            download(PublicFile(f"{server}/hangs", SHA256), home / "f")
    finally:
        Handler.given_up.set()
    assert list(home.iterdir()) == []


def test_no_server(home: Path) -> None:
    with pytest.raises(OSError, match=r"Could not download.*Fetch"):
        download(PublicFile("http://127.0.0.1:1/f", SHA256), home / "f")
    assert list(home.iterdir()) == []


def test_an_interrupted_download_leaves_nothing(
    home: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(public: PublicFile, part: Path) -> str:
        part.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(cache, "_fetch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        download(PublicFile(f"{server}/file", SHA256), home / "f")
    assert list(home.iterdir()) == []


def test_a_failed_download_keeps_the_old_file(home: Path, server: str) -> None:
    target = home / "f"
    target.write_text("old")
    with pytest.raises(OSError, match="404"):
        download(PublicFile(f"{server}/missing", SHA256), target)
    assert target.read_text() == "old"


def test_the_public_files() -> None:
    for public, name in ((imdb.REVIEWS, "imdb.npz"), (imdb.WORD_INDEX, "imdb_word_index.json")):
        assert public.url == f"https://storage.googleapis.com/tensorflow/tf-keras-datasets/{name}"
        assert len(public.digest) == public.new_hash().digest_size * 2
    assert imdb.REVIEWS.new_hash().name == "sha256"


def test_word_index_from_a_path(home: Path) -> None:
    path = home / "words.json"
    path.write_text(json.dumps({"the": 1, "é": 2}, ensure_ascii=False), encoding="utf-8")
    assert imdb.get_word_index(path) == {"the": 1, "é": 2}
    for bad in ('{"the": ', '["the"]', '{"the": "one"}', "3", "[" * 200_000):
        path.write_text(bad)
        with pytest.raises(ValueError, match="damaged"):
            imdb.get_word_index(path)
