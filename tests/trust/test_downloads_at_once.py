"""Processes that fill the cache of data sets at the same time, or one after another's death."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import fastrnn
import pytest

CONTENT = bytes(range(256)) * 2000
BOTH = 2


class Handler(BaseHTTPRequestHandler):
    """Sends the first half, waits until every process has it, then sends the rest."""

    halves = threading.Barrier(BOTH)
    begun, dead = threading.Event(), threading.Event()

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        half = len(CONTENT) // 2
        self.wfile.write(CONTENT[:half])
        self.wfile.flush()
        if self.path != "/once":
            self.halves.wait(60)
        elif not self.begun.is_set():
            self.begun.set()
            self.dead.wait(60)
            return
        self.wfile.write(CONTENT[half:] if self.path != "/cut" else b"")

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


LOCATE = """
import sys
from fastrnn.datasets.cache import locate
from fastrnn.files.download import PublicFile
try:
    print(locate("f.bin", PublicFile(sys.argv[1], sys.argv[2])))
except (OSError, ValueError) as error:
    print(type(error).__name__)
"""


def locating(url: str, cache: Path) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if name != "FASTRNN_DATA"}
    kept |= {"PYTHONPATH": str(Path(fastrnn.__file__).parents[1]), "no_proxy": "*"}
    kept |= {"XDG_CACHE_HOME": str(cache), "KERAS_HOME": str(cache / "keras")}
    return subprocess.Popen(
        [sys.executable, "-c", LOCATE, url, hashlib.sha256(CONTENT).hexdigest()],
        env=kept,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


@pytest.mark.parametrize("path", ["/whole", "/cut"])
def test_two_processes_fill_the_cache_at_once(path: str, server: str, tmp_path: Path) -> None:
    processes = [locating(server + path, tmp_path) for _ in range(BOTH)]
    printed = [process.communicate(timeout=90)[0].strip() for process in processes]
    folder = tmp_path / "fastrnn" / "datasets"
    if path == "/cut":
        assert set(printed) <= {"OSError", "ValueError"}
        assert os.listdir(folder) == []
        return
    assert printed == [str(folder / "f.bin")] * BOTH
    assert os.listdir(folder) == ["f.bin"]
    assert (folder / "f.bin").read_bytes() == CONTENT


def test_the_next_process_fills_the_cache_after_a_kill(server: str, tmp_path: Path) -> None:
    folder = tmp_path / "fastrnn" / "datasets"
    with locating(f"{server}/once", tmp_path) as killed:
        assert Handler.begun.wait(60)
        killed.kill()
    Handler.dead.set()
    assert [name for name in os.listdir(folder) if not name.endswith(".part")] == []
    printed, _ = locating(f"{server}/once", tmp_path).communicate(timeout=90)
    assert printed.strip() == str(folder / "f.bin")
    assert (folder / "f.bin").read_bytes() == CONTENT
