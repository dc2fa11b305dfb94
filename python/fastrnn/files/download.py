"""Downloads files: checked by their hash, and never half written."""

from __future__ import annotations

import hashlib
import os
import tempfile
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

_TIMEOUT = 30.0
"""Seconds without data after which a download is given up."""

_CHUNK = 1 << 16
"""Bytes of a download that are written at a time."""


@dataclass(frozen=True)
class PublicFile:
    """A file that can be downloaded.

    Attributes:
        url: Where from.
        digest: Published hash in hexadecimal: SHA-256, or MD5 if no other is published; empty if
            there is none, and then the contents are not checked.
    """

    url: str
    digest: str

    def new_hash(self) -> hashlib._Hash:
        """Return an empty hash of the kind of `digest`."""
        if len(self.digest) == hashlib.sha256().digest_size * 2:
            return hashlib.sha256()
        return hashlib.md5(usedforsecurity=False)

    def matches(self, path: Path) -> bool:
        """Tell whether a file has the hash, or there is none to compare with."""
        if not self.digest:
            return True
        found = self.new_hash()
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                found.update(chunk)
        return found.hexdigest() == self.digest


def download(public: PublicFile, target: Path, advice: str) -> Path:
    """Download a file with a progress bar; rename it to its final name if its hash is right.

    Args:
        public: What to download.
        target: Path of the new file.
        advice: What a user can do if it fails; the end of the error message.

    Returns:
        `target`.

    Raises:
        OSError: If the download fails.
        ValueError: If what was downloaded has another hash.
    """
    part: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(
            prefix=f"{target.name}.", suffix=".part", dir=target.parent
        )
        os.close(descriptor)
        part = Path(name)
        digest = _fetch(public, part)
        if public.digest and digest != public.digest:
            raise ValueError(
                f"The download of {public.url} is incomplete or corrupted: its hash must be "
                f"{public.digest}. Received: {digest}. {advice}"
            )
        part.replace(target)
    except OSError as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()
        raise OSError(f"Could not download {public.url} ({error}). {advice}") from error
    finally:
        if part is not None:
            part.unlink(missing_ok=True)
    return target


def _fetch(public: PublicFile, part: Path) -> str:
    """Write the contents of the URL to `part` and return their hash."""
    from tqdm.auto import tqdm

    digest = public.new_hash()
    with urllib.request.urlopen(public.url, timeout=_TIMEOUT) as response, part.open("wb") as file:
        size = response.headers.get("Content-Length")
        with tqdm(
            desc=f"Downloading {public.url.rpartition('/')[2]}",
            total=int(size) if size else None,
            unit="B",
            unit_scale=True,
        ) as bar:
            while chunk := response.read(_CHUNK):
                file.write(chunk)
                digest.update(chunk)
                bar.update(len(chunk))
    return digest.hexdigest()


def keras_home() -> Path:
    """Return the folder of Keras: `$KERAS_HOME`, or `~/.keras`."""
    return Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
