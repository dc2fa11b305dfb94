"""Finds the files of data sets, and downloads them."""

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
        digest: Published hash in hexadecimal: SHA-256, or MD5 if no other is published.
    """

    url: str
    digest: str

    def new_hash(self) -> hashlib._Hash:
        """Return an empty hash of the kind of `digest`."""
        if len(self.digest) == hashlib.sha256().digest_size * 2:
            return hashlib.sha256()
        return hashlib.md5(usedforsecurity=False)


def locate(path: str | os.PathLike[str], public: PublicFile) -> Path:
    """Find a file of a data set, or download it.

    A path with a folder is used as it is. A bare name is searched in `$FASTRNN_DATA`, in the
    folder of Keras (`$KERAS_HOME/datasets`, `~/.keras/datasets`) and in fastrnn's own
    (`$XDG_CACHE_HOME/fastrnn/datasets`, `~/.cache/fastrnn/datasets`), then downloaded to the last.
    The hash is that of the public file. It is checked for downloads only, because users may have
    files of their own in the same format.

    Args:
        path: Path or name of the file.
        public: What to download.

    Returns:
        Path of an existing file.

    Raises:
        FileNotFoundError: If a path with a folder does not exist.
        OSError: If the download fails.
        ValueError: If what was downloaded has another hash.
    """
    path = Path(path).expanduser()
    if path.name != str(path):
        if not path.is_file():
            raise FileNotFoundError(
                f"There is no file `{path}`. Pass the path of an existing file, or a name without "
                "a folder, which is looked for in the usual places and downloaded."
            )
        return path
    for folder in _folders():
        if (folder / path).is_file():
            return folder / path
    return download(public, _own_folder() / path)


def download(public: PublicFile, target: Path) -> Path:
    """Download a file with a progress bar; rename it to its final name if its hash is right.

    Args:
        public: What to download.
        target: Path of the new file.

    Returns:
        `target`.

    Raises:
        OSError: If the download fails.
        ValueError: If what was downloaded has another hash.
    """
    advice = (
        f"Fetch {public.url} by other means and put it at `{target}`, or put it in another folder "
        f"as `{target.name}` and set the environment variable FASTRNN_DATA to that folder."
    )
    part: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(
            prefix=f"{target.name}.", suffix=".part", dir=target.parent
        )
        os.close(descriptor)
        part = Path(name)
        digest = _fetch(public, part)
        if digest != public.digest:
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


def _folders() -> list[Path]:
    """Return the folders that are searched for bare names, in this order."""
    given = os.environ.get("FASTRNN_DATA")
    keras = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
    return [*([Path(given).expanduser()] if given else []), keras / "datasets", _own_folder()]


def _own_folder() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    return cache / "fastrnn" / "datasets"
