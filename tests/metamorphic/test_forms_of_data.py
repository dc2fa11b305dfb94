"""The form in which data come changes no result."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastrnn import layers, models, utils


def frames() -> Any:
    """Return pandas, or skip this test alone."""
    return pytest.importorskip("pandas")


RNG = np.random.default_rng(21)
X = RNG.integers(0, 7, (6, 4))
Y = RNG.normal(size=(6, 1)).astype(np.float32)


def model() -> models.Sequential:
    made = models.Sequential([layers.Embedding(7, 3), layers.LSTM(2), layers.Dense(1)])
    made.build((None, 4))
    rng = np.random.default_rng(1)
    made.set_weights([rng.normal(size=w.shape) for w in made.weights])
    made.compile("sgd", "mse", metrics=["mae"])
    return made


class Batches(utils.PyDataset):
    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        part = slice(3 * index, 3 * index + 3)
        return [X[part]], Y[part]


def generated(listed: bool) -> Iterator[tuple[Any, Any]]:
    for start in (0, 3):
        x = X[start : start + 3]
        yield ([x] if listed else x), Y[start : start + 3]


def memory_map(folder: Path, dtype: str, values: np.ndarray) -> np.ndarray:
    made = np.memmap(folder / f"values.{dtype}", dtype, "w+", shape=values.shape)
    made[:] = values
    return made


FORMS = {
    "lists": lambda folder: {"x": X.tolist(), "y": Y.tolist(), "batch_size": 3},
    "list of one": lambda folder: {"x": [X], "y": [Y], "batch_size": 3},
    "tuple of one": lambda folder: {"x": (X,), "y": (Y,), "batch_size": 3},
    "map int64": lambda folder: {"x": memory_map(folder, "i8", X), "y": Y, "batch_size": 3},
    "map float64": lambda folder: {"x": memory_map(folder, "f8", X), "y": Y, "batch_size": 3},
    "frame": lambda folder: {
        "x": frames().DataFrame(X),
        "y": frames().DataFrame(Y),
        "batch_size": 3,
    },
    "frame Int64": lambda folder: {
        "x": frames().DataFrame(X).astype("Int64"),
        "y": frames().Series(Y[:, 0]),
        "batch_size": 3,
    },
    "objects": lambda folder: {"x": X.astype(object), "y": Y.astype(object), "batch_size": 3},
    "series of lists": lambda folder: {"x": frames().Series(X.tolist()), "y": Y, "batch_size": 3},
    "generator": lambda folder: {"x": generated(False)},
    "generator of lists": lambda folder: {"x": generated(True)},
    "data set": lambda folder: {"x": Batches()},
}


@pytest.mark.parametrize("form", FORMS)
def test_training_evaluation_and_prediction(form: str, tmp_path: Path) -> None:
    wanted, got = model(), model()
    history = wanted.fit(X, Y, batch_size=3, shuffle=False, verbose=0).history
    found = got.fit(**FORMS[form](tmp_path), shuffle=False, verbose=0).history
    np.testing.assert_allclose(found["loss"], history["loss"], rtol=1e-6)
    for a, b in zip(got.get_weights(), wanted.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)
    logs = got.evaluate(**FORMS[form](tmp_path), verbose=0)
    np.testing.assert_allclose(logs, wanted.evaluate(X, Y, batch_size=3, verbose=0), rtol=1e-5)
    given = FORMS[form](tmp_path)
    predicted = got.predict(given["x"], batch_size=given.get("batch_size"), verbose=0)
    np.testing.assert_allclose(predicted, wanted.predict(X, verbose=0), rtol=1e-5, atol=1e-7)


def test_a_series_of_token_lists_of_any_length() -> None:
    lists = [[1, 2, 3], [4], [5, 6], [1, 1, 2, 3]]
    made = model()
    series = frames().Series(lists, index=[5, 3, 9, 1])
    np.testing.assert_array_equal(made.predict(series, verbose=0), made.predict(lists, verbose=0))
    a = made.evaluate(series, Y[:4], verbose=0)
    assert a == made.evaluate(lists, Y[:4], verbose=0)


def test_one_sample_in_a_list_is_one_sample() -> None:
    made = model()
    np.testing.assert_allclose(
        made.predict([[1, 2, 3, 4]], verbose=0), made.predict(np.array([[1, 2, 3, 4]]), verbose=0)
    )
    steps = models.Sequential([layers.SimpleRNN(2, return_sequences=True)])
    steps.compile("sgd", "mse")
    x = RNG.normal(size=(1, 3, 2))
    y = RNG.normal(size=(3, 2))
    assert steps.evaluate(x, [y], verbose=0) == steps.evaluate(x, y[np.newaxis], verbose=0)


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (np.array([[1, "a"], [2, 3]], object), TypeError, "real numbers. Received: 'a'"),
        (np.array([[1, None], [2, 3]], object), TypeError, "real numbers. Received: None"),
        (np.array([[1], None], object), TypeError, "real numbers. Received: None"),
        (
            lambda: frames().DataFrame({"a": [1, None], "b": [1, 2]}, dtype="Int64"),
            TypeError,
            "<NA>",
        ),
    ],
)
def test_what_is_no_number_is_named(x: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        model().predict(x() if callable(x) else x, verbose=0)


def test_errors_of_class_weight_speak_of_it() -> None:
    with pytest.raises(ValueError, match="`class_weight`"):
        model().fit(X, Y > 0, class_weight={0: float("nan"), 1: 1.0}, verbose=0)


@pytest.mark.parametrize("dtype", ["i8", "f8", "i2"])
def test_maps_are_split_and_cut_as_arrays_are(dtype: str, tmp_path: Path) -> None:
    histories = []
    for x in (X, memory_map(tmp_path, dtype, X)):
        made = model()
        options = {"validation_split": 0.5, "batch_size": 2, "shuffle": False, "verbose": 0}
        histories.append(made.fit(x, Y, **options).history)
        histories[-1]["predicted"] = made.predict(x, batch_size=2, steps=2, verbose=0)
    for key, values in histories[0].items():
        np.testing.assert_allclose(histories[1][key], values, rtol=1e-6, err_msg=key)
