"""Import paths of older versions of Keras lead to where things are now."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastrnn
import pytest
from fastrnn import callbacks, layers, models, optimizers, utils
from fastrnn.compatibility.paths import PATHS, install, modules_for

STATEMENTS: list[tuple[str, Any]] = [
    ("from fastrnn.layers.core import Dense as it", layers.Dense),
    ("from fastrnn.layers.core import Activation as it", layers.Activation),
    ("from fastrnn.layers.recurrent import LSTM as it", layers.LSTM),
    ("from fastrnn.layers.embeddings import Embedding as it", layers.Embedding),
    ("from fastrnn.layers.normalization import BatchNormalization as it",
     layers.BatchNormalization),
    ("from fastrnn.layers.convolutional import Conv1D as it", layers.Conv1D),
    ("from fastrnn.layers.pooling import MaxPooling1D as it", layers.MaxPooling1D),
    ("from fastrnn.layers.wrappers import TimeDistributed as it", layers.TimeDistributed),
    ("from fastrnn.layers.wrappers import Bidirectional as it", layers.Bidirectional),
    ("from fastrnn.layers.merge import concatenate as it", layers.concatenate),
    ("from fastrnn.layers.merge import Merge as it", layers.merge.Merge),
    ("from fastrnn.layers.advanced_activations import LeakyReLU as it", layers.LeakyReLU),
    ("from fastrnn.layers.noise import GaussianNoise as it", layers.GaussianNoise),
    ("from fastrnn.layers.normalization.batch_normalization import BatchNormalization as it",
     layers.BatchNormalization),
    ("from fastrnn.engine.topology import Layer as it", layers.Layer),
    ("from fastrnn.engine import Model as it", models.Model),
    ("from fastrnn.engine.training import Model as it", models.Model),
    ("from fastrnn.objectives import mean_squared_error as it",
     fastrnn.losses.mean_squared_error),
    ("from fastrnn.preprocessing.sequence import pad_sequences as it", utils.pad_sequences),
    ("from fastrnn.preprocessing.text import Tokenizer as it",
     fastrnn.preprocessing.text.Tokenizer),
    ("from fastrnn.utils.np_utils import to_categorical as it", utils.to_categorical),
    ("from fastrnn.utils import np_utils; it = np_utils.to_categorical", utils.to_categorical),
    ("import fastrnn.utils.np_utils as u; it = u.to_categorical", utils.to_categorical),
    ("import fastrnn; it = fastrnn.utils.np_utils.to_categorical", utils.to_categorical),
    ("from fastrnn.utils.vis_utils import plot_model as it", utils.plot_model),
    ("from fastrnn.utils.data_utils import get_file as it", utils.get_file),
    ("from fastrnn.utils.generic_utils import custom_object_scope as it",
     utils.custom_object_scope),
    ("from fastrnn.optimizers.legacy import Adam as it", optimizers.Adam),
    ("import fastrnn; it = fastrnn.optimizers.legacy.Adam", optimizers.Adam),
    ("from fastrnn.optimizer_v2.adam import Adam as it", optimizers.Adam),
    ("from fastrnn.optimizers.schedules.learning_rate_schedule import ExponentialDecay as it",
     optimizers.schedules.ExponentialDecay),
    ("from fastrnn.callbacks.callbacks import EarlyStopping as it", callbacks.EarlyStopping),
    ("from fastrnn.src.callbacks import EarlyStopping as it", callbacks.EarlyStopping),
    ("from fastrnn.api.layers import LSTM as it", layers.LSTM),
    ("from fastrnn._tf_keras.keras.layers import LSTM as it", layers.LSTM),
    ("from fastrnn._tf_keras.keras.optimizers.legacy import Adam as it", optimizers.Adam),
    ("import fastrnn; it = fastrnn.layers.experimental.preprocessing.LSTM", layers.LSTM),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "wanted"), STATEMENTS, ids=[s for s, _ in STATEMENTS])
def test_statements_of_old_scripts_run(statement: str, wanted: Any) -> None:
    names: dict[str, Any] = {}
    exec(statement, names)
    assert names["it"] is wanted


@pytest.mark.parametrize("number", [0, 18, 22])
def test_they_run_first_thing_in_a_process(number: int, run_python: Callable[..., Any]) -> None:
    run = run_python(f"{STATEMENTS[number][0]}\nprint(it)")
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("path", PATHS)
def test_every_path_has_the_names_of_its_modules(path: str) -> None:
    found = importlib.import_module(f"fastrnn.{path}")
    targets = [importlib.import_module(f"fastrnn.{t}".rstrip(".")) for t in modules_for(path)]
    assert len(targets) == len(PATHS[path].split(" "))
    public = [name for target in targets for name in target.__all__ if name != "__version__"]
    assert [name for name in public if not hasattr(found, name)] == []
    assert found.__doc__


def test_star_imports_the_names() -> None:
    names: dict[str, Any] = {}
    exec("from fastrnn.layers.core import *", names)
    assert names["Dense"] is layers.Dense
    assert "Conv2DTranspose" not in names


def test_names_that_are_not_supported_refuse_there_too() -> None:
    from fastrnn.layers.convolutional import Conv2DTranspose

    assert Conv2DTranspose is layers.Conv2DTranspose
    with pytest.raises(ValueError, match=r"`layers\.Conv2DTranspose` is not supported"):
        Conv2DTranspose(2, 3)


@pytest.mark.parametrize(
    "module", ["layers.nowhere", "layers.core.nowhere", "engine.nowhere", "src.nowhere.at.all"]
)
def test_other_modules_are_not_found(module: str) -> None:
    with pytest.raises(ModuleNotFoundError, match="nowhere"):
        importlib.import_module(f"fastrnn.{module}")
    assert f"fastrnn.{module}" not in sys.modules


def test_other_names_are_not_found() -> None:
    with pytest.raises(ImportError, match="cannot import name 'Dance'"):
        exec("from fastrnn.layers.core import Dance")


def test_old_paths_have_no_files() -> None:
    package = Path(fastrnn.__file__).parent
    real = {
        "layers.merge",
        "models.sequential",
        "optimizers.schedules.learning_rate_schedule",
        "ops.nn",
    }
    for path in PATHS:
        file = package.joinpath(*path.split("."))
        assert file.with_suffix(".py").is_file() == (path in real)
        assert not file.is_dir()


def test_the_finder_is_there_once() -> None:
    finders = list(sys.meta_path)
    install()
    assert sys.meta_path == finders
    names = [type(finder).__name__ for finder in finders]
    assert names.count("_OldPaths") == 1
