"""Files from the web, kept for the next time."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from fastrnn.files.download import PublicFile, download, keras_home


def get_file(
    fname: str | os.PathLike[str] | None = None,
    origin: str | None = None,
    *,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    cache_dir: str | os.PathLike[str] | None = None,
    force_download: bool = False,
) -> str:
    """Download a file, unless it is there already, and return its path.

    The file gets its name when it is complete and its hash is right. One that exists with another
    hash is downloaded again. Archives are not unpacked: `shutil.unpack_archive` does that.

    Args:
        fname: Name of the file, without a folder. Defaults to the last part of `origin`.
        origin: URL of the file.
        md5_hash: As `file_hash`, for old scripts.
        file_hash: SHA-256 or MD5 of the file in hexadecimal. Without it nothing is checked.
        cache_subdir: Folder in `cache_dir`; an absolute path stands for itself.
        cache_dir: Defaults to `$KERAS_HOME` or `~/.keras`.
        force_download: Whether to download a file that is there.

    Returns:
        Path of the file.

    Raises:
        ValueError: If `origin` is missing, `fname` has a folder, or the hash is wrong.
        OSError: If the download fails.

    Example:
        >>> from fastrnn.utils import get_file
        >>> get_file("text.txt", "https://example.com/text.txt")  # doctest: +SKIP
        '/home/me/.keras/datasets/text.txt'
    """
    if not origin:
        raise ValueError(f"`origin` must be the URL of the file. Received: origin={origin!r}")
    name = os.fspath(fname) if fname else os.path.basename(urlsplit(origin).path)
    if not name or name in (".", "..") or os.path.basename(name) != name:
        raise ValueError(
            "`fname` must be a name without a folder: `cache_dir` and `cache_subdir` say where it "
            f"goes. Received: fname={fname!r}, origin={origin!r}"
        )
    digest = (file_hash or md5_hash or "").lower()
    if digest and len(digest) not in (32, 64):
        raise ValueError(
            f"`file_hash` must be a SHA-256 or MD5 in hexadecimal. Received: file_hash={digest!r}"
        )
    public = PublicFile(origin, digest)
    home = keras_home() if cache_dir is None else Path(cache_dir).expanduser()
    target = home / cache_subdir / name
    if force_download or not target.is_file() or not public.matches(target):
        download(public, target, f"Fetch {origin} by other means and put it at `{target}`.")
    return str(target)
