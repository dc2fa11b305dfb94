"""Finds the files of data sets, and downloads them."""

from __future__ import annotations

import os
from pathlib import Path

from fastrnn.files.download import PublicFile, download, keras_home

ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
"""Where Keras's data sets are published."""


def locate(path: str | os.PathLike[str], public: PublicFile, subfolder: str = "") -> Path:
    """Find a file of a data set, or download it.

    A path with a folder is used as it is. A bare name is searched in `$FASTRNN_DATA`, in the
    folder of Keras (`$KERAS_HOME/datasets`, `~/.keras/datasets`) and in fastrnn's own
    (`$XDG_CACHE_HOME/fastrnn/datasets`, `~/.cache/fastrnn/datasets`), then downloaded to the last.
    The hash is that of the public file. It is checked for downloads only, because users may have
    files of their own in the same format.

    Args:
        path: Path or name of the file.
        public: What to download.
        subfolder: Folder of the data set inside these folders, if it has one.

    Returns:
        Path of an existing file.

    Raises:
        FileNotFoundError: If a path with a folder does not exist.
        OSError: If the download fails.
        ValueError: If what was downloaded has another hash.
    """
    path, inside = Path(path).expanduser(), Path(subfolder)
    if path.name != str(path):
        if not path.is_file():
            raise FileNotFoundError(
                f"There is no file `{path}`. Pass the path of an existing file, or a name without "
                "a folder, which is looked for in the usual places and downloaded."
            )
        return path
    for folder in _folders():
        if (folder / inside / path).is_file():
            return folder / inside / path
    target = _own_folder() / inside / path
    advice = (
        f"Fetch {public.url} by other means and put it at `{target}`, or put it in another folder "
        f"as `{inside / path}` and set the environment variable FASTRNN_DATA to that folder."
    )
    return download(public, target, advice)


def _folders() -> list[Path]:
    """Return the folders that are searched for bare names, in this order."""
    given = os.environ.get("FASTRNN_DATA")
    return [
        *([Path(given).expanduser()] if given else []),
        keras_home() / "datasets",
        _own_folder(),
    ]


def _own_folder() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    return cache / "fastrnn" / "datasets"
