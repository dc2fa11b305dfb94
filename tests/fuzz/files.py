"""Files that are damaged at random, for everything that reads one."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from fastrnn.callbacks import BackupAndRestore, Callback
from fastrnn.datasets import imdb
from fastrnn.datasets.npz import read_npz
from fastrnn.files.state_file import read_state
from fastrnn.models import load_model, model_from_json
from fastrnn.preprocessing.text import Tokenizer, tokenizer_from_json
from support.saved_models import LABELS, TOKENS, small_model, state

from fuzz import damage, wild

GOLDEN = Path(__file__).parents[1] / "saving" / "golden"
BACKUP = "latest.backup.npz"
MODELS = (".keras", ".h5", ".weights.h5")


@lru_cache
def good_files() -> dict[str, list[bytes]]:
    """Real files by the end of their names: from here, and from Keras 3 and 2."""
    files: dict[str, list[bytes]] = {end: [] for end in MODELS}
    with tempfile.TemporaryDirectory() as folder:
        model = small_model()
        for end in MODELS:
            path = Path(folder, f"good{end}")
            (model.save_weights if "weights" in end else model.save)(path)
            files[end].append(path.read_bytes())
        backup = BackupAndRestore(folder, delete_checkpoint=False)
        model.fit(TOKENS, LABELS, batch_size=2, callbacks=[backup], verbose=0)
        files[".backup"] = [Path(folder, BACKUP).read_bytes()]
    for golden in sorted(GOLDEN.glob("*.zip")):
        with zipfile.ZipFile(golden) as archive:
            for name in archive.namelist():
                end = max((end for end in MODELS if name.endswith(end)), key=len, default="")
                if end:
                    files[end].append(archive.read(name))
    files[".npz"] = []
    for reviews in ([[1, 2, 3], [4]], [[5, 6], [7, 8]]):
        image, x = io.BytesIO(), np.empty(2, object)
        x[:] = reviews
        y = np.array([0, 1])
        np.savez(image, x_train=x, y_train=y, x_test=x, y_test=y)  # as imdb.npz is
        files[".npz"].append(image.getvalue())
    tokenizer = Tokenizer(num_words=9, oov_token="?")
    tokenizer.fit_on_texts(["a good film", "a bad one"])
    files[".json"] = [text.encode() for text in (model.to_json(), tokenizer.to_json())]
    files[".json"].append(json.dumps({"the": 1, "film": 2, "é": 3}).encode())
    return files


@lru_cache
def _everything() -> list[bytes]:
    return [each for group in good_files().values() for each in group]


def load(r: Random) -> str:
    """A damaged file loads, or is refused and leaves the model as it was."""
    files = good_files()
    end = r.choice(sorted(files))
    data = r.choice(files[end])
    if wild.some(r, 0.4):
        bad = damage.damaged(r, data, _everything())
    elif zipfile.is_zipfile(io.BytesIO(data)):
        bad = damage.damaged_member(r, data, _everything())
    else:
        bad = damage.damaged_content(r, end, data, _everything())
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder, f"bad{end}")
        path.write_bytes(bad)
        try:
            r.choice(LOADERS[end])(r, path)
        except (ValueError, TypeError, OSError):
            return wild.REFUSED
    return wild.AGREED


# --- Loaders --------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _model() -> Any:
    """A model to load into; one that a file has changed is made anew."""
    model = small_model()
    return model, state(model)


def _unchanged() -> bool:
    """Whether the model is as it was: nothing is half loaded."""
    model, before = _model()
    now = state(model)
    return len(now) == len(before) and all(map(np.array_equal, now, before))


def _load_weights(r: Random, path: Path) -> None:
    model, _ = _model()
    options: dict[str, Any] = {"skip_mismatch": wild.some(r, 0.2)}
    if path.name.endswith("bad.h5"):
        options["by_name"] = wild.some(r, 0.3)
    try:
        model.load_weights(path, **options)
    except BaseException:
        assert _unchanged()
        raise
    _model.cache_clear()


def _load_model(r: Random, path: Path) -> None:
    model = load_model(path, compile=wild.some(r, 0.8))
    if model.built and model.input_shape == (None, 5):
        model.predict_on_batch(TOKENS)


class _EnoughError(Exception):
    pass


class _Enough(Callback):
    """Ends a training before its first step."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        raise _EnoughError


def _restore(r: Random, path: Path) -> None:
    model, _ = _model()
    _model.cache_clear()
    path.rename(path.with_name(BACKUP))
    backup = BackupAndRestore(path.parent, delete_checkpoint=False)
    with contextlib.suppress(_EnoughError):
        model.fit(TOKENS, LABELS, batch_size=2, epochs=2, callbacks=[_Enough(), backup], verbose=0)


def _text(function: Callable[[str], Any]) -> Callable[[Random, Path], Any]:
    return lambda r, path: function(path.read_text(encoding="utf-8"))


LOADERS: dict[str, list[Callable[[Random, Path], Any]]] = {
    ".keras": [_load_model, _load_weights],
    ".h5": [_load_model, _load_weights],
    ".weights.h5": [_load_weights],
    ".npz": [
        lambda r, path: read_npz(path),
        lambda r, path: imdb.load_data(path, num_words=r.choice((None, 3)), maxlen=None),
    ],
    ".backup": [lambda r, path: read_state(path), _restore],
    ".json": [
        lambda r, path: imdb.get_word_index(path),
        _text(tokenizer_from_json),
        _text(model_from_json),
    ],
}
