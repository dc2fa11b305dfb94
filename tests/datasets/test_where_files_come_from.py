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
from fastrnn.datasets import imdb
from fastrnn.datasets.cache import locate
from fastrnn.files import download as downloads
from fastrnn.files.download import PublicFile, download
from fastrnn.utils import get_file

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
    target = download(PublicFile(server + path, digest), home / "a" / "b" / "f.npz", "")
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
    target = home / ".cache/fastrnn/datasets/f.npz"
    with pytest.raises(error, match=message) as caught:
        locate("f.npz", PublicFile(server + path, digest))
    assert isinstance(caught.value, (OSError, ValueError))
    for advice in (f"Fetch {server}{path}", f"put it at `{target}`", "FASTRNN_DATA"):
        assert advice in str(caught.value)
    assert list(target.parent.iterdir()) == []


def test_a_server_that_stops_in_the_middle_is_given_up(
    home: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "_TIMEOUT", 0.2)
    try:
        with pytest.raises(OSError, match=r"Could not download.*timed out"):
            download(PublicFile(f"{server}/hangs", SHA256), home / "f", "")
    finally:
        Handler.given_up.set()
    assert list(home.iterdir()) == []


def test_no_server(home: Path) -> None:
    with pytest.raises(OSError, match=r"Could not download.*Fetch"):
        download(PublicFile("http://127.0.0.1:1/f", SHA256), home / "f", "Fetch it.")
    assert list(home.iterdir()) == []


def test_an_interrupted_download_leaves_nothing(
    home: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(public: PublicFile, part: Path) -> str:
        part.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(downloads, "_fetch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        download(PublicFile(f"{server}/file", SHA256), home / "f", "")
    assert list(home.iterdir()) == []


def test_a_failed_download_keeps_the_old_file(home: Path, server: str) -> None:
    target = home / "f"
    target.write_text("old")
    with pytest.raises(OSError, match="404"):
        download(PublicFile(f"{server}/missing", SHA256), target, "")
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


@pytest.mark.parametrize("digest", [None, SHA256, hashlib.md5(CONTENT).hexdigest().upper()])
def test_get_file_downloads_once(
    digest: str | None, server: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = home / ".keras/datasets/file"
    assert get_file(origin=f"{server}/file?v=1", file_hash=digest) == str(target)
    assert target.read_bytes() == CONTENT
    gone = "http://127.0.0.1:1/file"
    assert get_file("file", gone, file_hash=digest) == str(target)
    with pytest.raises(OSError, match="Could not download"):
        get_file("file", gone, file_hash=digest, force_download=True)
    target.write_bytes(b"old")
    get_file("file", f"{server}/file", md5_hash=digest)
    assert target.read_bytes() == (CONTENT if digest else b"old")
    monkeypatch.setenv("KERAS_HOME", str(home / "k"))
    assert get_file("g", f"{server}/file", cache_subdir="s") == str(home / "k/s/g")
    assert get_file("g", f"{server}/file", cache_dir=home / "c") == str(home / "c/datasets/g")


def test_get_file_keeps_nothing_of_a_wrong_hash(server: str, home: Path) -> None:
    with pytest.raises(ValueError, match=r"its hash must be 0000.*put it at `.*/f`"):
        get_file("f", f"{server}/file", file_hash="0" * 64)
    assert list((home / ".keras/datasets").iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"fname": "f"}, "`origin` must be the URL"),
        ({"fname": "a/f", "origin": "http://x/f"}, "`fname` must be a name without a folder"),
        ({"fname": "..", "origin": "http://x/f"}, "`fname` must be a name without a folder"),
        ({"origin": "http://x/"}, "`fname` must be a name without a folder"),
        ({"origin": "http://x/f", "file_hash": "12"}, "`file_hash` must be a SHA-256 or MD5"),
    ],
)
def test_get_file_refuses(arguments: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        get_file(**arguments)
