"""The lessons run at a small size, and so does their very code under Keras with other imports."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
from fastrnn.datasets import imdb
from support.keras_twins import assert_same, randomized

pytestmark = [  # of Keras and TensorFlow about themselves
    pytest.mark.filterwarnings("ignore:Even though the `tf.config.experimental_run_functions"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


class Lesson(NamedTuple):
    """How a lesson is run small, and what comes of it.

    Attributes:
        arguments: Of its command line; `{folder}` is one for its files.
        models: Arguments of `build_model`; a string is the name of a layer.
        says: What it prints, among other things.
        table: How the rows of its tables begin.
        plots: Its pictures.
    """

    arguments: str
    models: list[tuple[Any, ...]]
    says: list[str]
    table: list[str]
    plots: list[str]


STACKED = SimpleNamespace(
    max_length=6, vocab_size=90, units=[4, 3, 2], dropout=0.2, dense_activation="tanh"
)
LESSONS = {
    "imdb_tuned": Lesson(
        "--samples 5 --steps 3 --units 3 --epochs 1 --grid-units 2 4 --grid-dropout 0.2 "
        "--grid-rate 0.01 --grid-epochs 1",
        [(layer, 6, 3, 0.3, 1e-3) for layer in ("SimpleRNN", "LSTM", "GRU")],
        ["with 4 units, dropout 0.2, learning rate 0.01"],
        ["SimpleRNN 640,208", "LSTM 640,820", "GRU 640,625", "2 0.2 0.01", "4 0.2 0.01"],
        ["SimpleRNN", "LSTM", "GRU"],
    ),
    "stacked_bidirectional_lstm": Lesson(
        "--samples 5 --max-length 3 --vocab-size 90 --units 4 3 2 --dropout 0.2 "
        "--dense-activation tanh --epochs 1",
        [(False, STACKED), (True, STACKED)],
        ["val_accuracy"],
        ["stacked 1,945", "bidirectional 2,581"],
        ["stacked", "bidirectional"],
    ),
    "imdb_simple_vs_lstm": Lesson(
        "--samples 5 --steps 3 --units 3 --epochs 2",
        [("SimpleRNN", 6, 3), ("LSTM", 6, 3)],
        ["The first review, label", "<unknown>", " word"],
        ["SimpleRNN 512,400", "LSTM 513,588"],
        ["SimpleRNN", "LSTM"],
    ),
    "number_sequences": Lesson(
        "--numbers 12 --beyond 4 --steps 3 --units 4 --epochs 2",
        [(3, 4)],
        [
            "all numbers from 0 to 11, 9 windows",
            "even numbers from 0 to 22, 9 windows",
            "mean squared error beyond: ",
        ],
        ["12 ... 14 ->", "15 ... 17 ->", "24 ... 28 ->", "30 ... 34 ->"],
        ["all", "even"],
    ),
    "seq2seq_addition": Lesson(
        "--digits 1 --samples 20 --test 5 --units 3 --epochs 1",
        [(1, 4), (2, 3)],
        ["right results: ", " of 5 sums that were not trained", "encoder (LSTM)"],
        [],
        ["sums"],
    ),
    "seq2seq_attention": Lesson(
        "--samples 20 --test 5 --units 3 --epochs 1",
        [(2,), (3,)],
        ["right dates: ", " of 5 that were not trained", "decoder (LSTM)"],
        [],
        ["looks"],
    ),
    "multi_input_forecast": Lesson(
        "--shops 2 --days 16 --test-days 9 --window 2 --units 3 --epochs 1",
        [(1, 4, ("past", "calendar", "facts")), (2, 3, ("past", "facts"))],
        ["10 windows of 2 shops to learn from, 18 for test"],
        ["the day before", "past", "past + calendar", "past + calendar + facts"],
        ["day"],
    ),
    "cnn_lstm": Lesson(
        "--samples 5 --steps 12 --units 3 --epochs 1",
        [("lstm", 12, 3), ("cnn_lstm", 12, 3)],
        [],
        ["lstm 2,561,588", "cnn_lstm 2,601,844"],
        ["lstm", "cnn_lstm"],
    ),
    "gru_vs_rnn_saved": Lesson(
        "--samples 5 --steps 3 --epochs 1 --folder {folder}",
        [(layer, 6, 5) for layer in ("GRU", "LSTM", "SimpleRNN")],
        [],
        [
            "imdb_GRU.h5 40,200 200,301",
            "imdb_LSTM.h5 53,200 213,301",
            "imdb_SimpleRNN.h5 13,300 173,401",
        ],
        ["GRU", "LSTM", "SimpleRNN"],
    ),
}


def check(lesson: Lesson, printed: str) -> None:
    lines = [" ".join(line.split()) for line in printed.splitlines()]
    for text in lesson.says:
        assert text in printed
    for row in lesson.table:
        (end,) = [line[len(row) :] for line in lines if re.match(rf"{re.escape(row)} -?\d", line)]
        assert all(np.isfinite(float(each)) for each in re.findall(r"-?[\d.]+(?:e-\d+)?$", end))


def code_of(name: str, library: str) -> dict[str, Any]:
    """The names of an example that imports from another library."""
    source = (EXAMPLES / f"{name}.py").read_text()
    source, count = re.subn(r"^from fastrnn\b", f"from {library}", source, flags=re.MULTILINE)
    assert count >= 3
    names: dict[str, Any] = {"__name__": name}
    exec(compile(source, name, "exec"), names)
    return names


@pytest.mark.installed
@pytest.mark.parametrize("name", LESSONS)
def test_runs_from_its_command_line(
    name: str, run_example: Callable[..., str], tmp_path: Path
) -> None:
    lesson = LESSONS[name]
    plots = importlib.util.find_spec("matplotlib") is not None
    arguments = lesson.arguments.format(folder=tmp_path).split()
    printed = run_example(name, *arguments, *(["--plots", str(tmp_path)] if plots else []))
    check(lesson, printed)
    if plots:
        for each in lesson.plots:
            picture = (tmp_path / f"{name}_{each}.png").read_bytes()
            assert picture.startswith(b"\x89PNG")


@pytest.fixture
def keras_with_data(
    keras: ModuleType, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> ModuleType:
    """Keras with our data."""
    theirs = keras.datasets.imdb
    reviews, words = data_folder / "imdb.npz", data_folder / "imdb_word_index.json"
    monkeypatch.setattr(theirs, "load_data", lambda **given: imdb.load_data(reviews, **given))
    monkeypatch.setattr(theirs, "get_word_index", lambda: imdb.get_word_index(words))
    return keras


@pytest.mark.parametrize("name", LESSONS)
def test_the_same_code_runs_under_keras(
    name: str,
    keras_with_data: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lesson = LESSONS[name]
    arguments = lesson.arguments.format(folder=tmp_path).split()
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    code_of(name, "keras")["main"]()
    check(lesson, capsys.readouterr().out)


@pytest.mark.parametrize("name", LESSONS)
def test_its_models_are_those_of_keras(
    name: str, keras_with_data: ModuleType, rng: np.random.Generator
) -> None:
    for arguments in LESSONS[name].models:
        theirs, ours = (
            names["build_model"](
                *[names.get(each, each) if isinstance(each, str) else each for each in arguments]
            )
            for names in (code_of(name, "keras"), code_of(name, "fastrnn"))
        )
        randomized(rng, theirs, ours)
        words = [each.input_dim for each in theirs.layers if type(each).__name__ == "Embedding"]
        x: Any = [
            rng.integers(0, min(words), (8, *tensor.shape[1:])).astype("float32")
            if words
            else rng.normal(size=(8, *tensor.shape[1:])).astype("float32")
            for tensor in theirs.inputs
        ]
        if len(theirs.inputs) > 1:
            x = {tensor.name: each for tensor, each in zip(theirs.inputs, x, strict=True)}
        else:
            (x,) = x
        y = rng.integers(0, 2, (8, *theirs.output_shape[1:])).astype("float32")
        if str(theirs.loss).startswith("sparse"):
            y = y[..., 0]
        assert_same(ours.predict(x, verbose=0), theirs.predict(x, verbose=0))
        wanted = theirs.test_on_batch(x, y)
        np.testing.assert_allclose(ours.test_on_batch(x, y), wanted, rtol=1e-4)
