"""The `.keras` file: a zip archive of a config, a note on its origin, and the weights."""

from __future__ import annotations

import datetime
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from fastrnn._core import __version__
from fastrnn.files.errors import InvalidFileError, error_context

KERAS_VERSION = "3.15.1"
"""The version of Keras whose files these are."""

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
ASSETS = "assets"
"""The folder of what layers keep beside their weights."""

# Keras stores without compression. A member that unpacks to more than this is not a model.
_FLOOR, _EXPANSION = 1 << 26, 100


def archive_bytes(
    config: dict[str, Any], weights: bytes, assets: Mapping[str, bytes] | None = None
) -> bytes:
    """Return the bytes of a `.keras` file.

    Args:
        config: The config of the model.
        weights: The bytes of its `.weights.h5`.
        assets: Further files, by their names below `assets`.
    """
    now = datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S")
    metadata = {"keras_version": KERAS_VERSION, "date_saved": now, "fastrnn_version": __version__}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(METADATA, json.dumps(metadata))
        archive.writestr(CONFIG, json.dumps(config))
        archive.writestr(WEIGHTS, weights)
        for name, content in (assets or {}).items():
            archive.writestr(name, content)
    return buffer.getvalue()


def read_archive(file: BinaryIO, source: str) -> tuple[dict[str, Any], bytes, dict[str, bytes]]:
    """Return the config, with `keras_version`, weights and assets of a `.keras` file.

    Nothing is unpacked to the disk.

    Args:
        file: Opened for reading.
        source: Its name, for messages.

    Raises:
        InvalidFileError: If it is not a `.keras` archive, or is damaged.
    """
    with error_context(source, ""):
        if not zipfile.is_zipfile(file):
            raise InvalidFileError.at(source, "", "it must be a zip archive, whole, with a config")
        with zipfile.ZipFile(file) as archive:
            for name in archive.namelist():
                path = PurePosixPath(name.replace("\\", "/"))
                if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
                    raise InvalidFileError.at(source, name, "a member must lie in the archive")
            config = parse_config(_member(archive, CONFIG, source), source, CONFIG)
            if METADATA in archive.namelist():
                metadata = parse_config(_member(archive, METADATA, source), source, METADATA)
                config["keras_version"] = metadata.get("keras_version")
            names = [each for each in archive.namelist() if each.startswith(f"{ASSETS}/")]
            assets = {each: _member(archive, each, source) for each in names if each[-1] != "/"}
            return config, _member(archive, WEIGHTS, source), assets


def parse_config(text: str | bytes, source: str, place: str) -> dict[str, Any]:
    """Return the dict that a JSON text holds."""
    with error_context(source, place):
        config = json.loads(text)
    if not isinstance(config, dict):
        raise InvalidFileError.at(source, place, f"it must be a dict. Received: {type(config)}")
    return config


def _member(archive: zipfile.ZipFile, name: str, source: str) -> bytes:
    if archive.namelist().count(name) != 1:
        found = ", ".join(archive.namelist()[:10])
        raise InvalidFileError.at(source, name, f"the archive must have it once. Found: {found}")
    info = archive.getinfo(name)
    if info.file_size > _FLOOR and info.file_size > _EXPANSION * info.compress_size:
        raise InvalidFileError.at(
            source,
            name,
            f"it unpacks from {info.compress_size} bytes to {info.file_size}, which is too much",
        )
    with error_context(source, name):
        return archive.read(name)
