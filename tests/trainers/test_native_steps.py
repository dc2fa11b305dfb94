"""The native calls of a step: they agree with the paths in Python, and keep the calls few."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from fastrnn import layers, losses, metrics, models, optimizers
from fastrnn.trainers.output_part import OutputPart

VOCABULARY, STEPS, SAMPLES = 50, 6, 24

# Loss, outputs, activation of the last layer, metrics, whether the kernel serves the loss.
CASES: dict[str, tuple[Any, int, str, list[Any], bool]] = {
    "binary": ("binary_crossentropy", 1, "sigmoid", ["accuracy"], True),
    "labels": ("binary_crossentropy", 3, "sigmoid", ["accuracy", "mse"], True),
    "threshold": (
        "binary_crossentropy",
        1,
        "sigmoid",
        [metrics.BinaryAccuracy(threshold=0.45), metrics.BinaryAccuracy(name="at_half"), "auc"],
        True,
    ),
    "logits": (
        losses.BinaryCrossentropy(from_logits=True),
        1,
        "linear",
        [metrics.BinaryAccuracy(threshold=0.1)],
        True,
    ),
    "classes": ("categorical_crossentropy", 4, "softmax", ["accuracy", "mae"], True),
    "ids": ("sparse_categorical_crossentropy", 4, "softmax", ["accuracy"], True),
    "squares": ("mse", 2, "linear", ["mae", "mse"], True),
    "errors": ("mae", 1, "linear", ["mse", "mae", metrics.RootMeanSquaredError()], True),
    "smoothed": (losses.BinaryCrossentropy(label_smoothing=0.2), 1, "sigmoid", ["accuracy"], False),
    "tanh": ("binary_crossentropy", 1, "tanh", ["accuracy"], False),
    "sum": (losses.MeanSquaredError(reduction="sum"), 2, "linear", ["mae"], False),
    "ignored": (
        losses.SparseCategoricalCrossentropy(ignore_class=0),
        4,
        "softmax",
        ["accuracy"],
        False,
    ),
    "huber": ("huber", 1, "linear", ["mae"], False),
}


def data(case: str, steps: bool) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    outputs = CASES[case][1]
    x = rng.integers(1, VOCABULARY, (SAMPLES, STEPS))
    rows = (SAMPLES, STEPS) if steps else (SAMPLES,)
    if case in ("ids", "ignored"):
        return x, rng.integers(0, outputs, rows)
    if case == "classes":
        return x, np.eye(outputs, dtype=np.float32)[rng.integers(0, outputs, rows)]
    if case in ("squares", "errors", "sum", "huber"):
        return x, rng.normal(size=(*rows, outputs))
    return x, rng.integers(0, 2, (*rows, outputs))


def model(case: str, optimizer: Any = "adam", steps: bool = False) -> models.Sequential:
    loss, outputs, activation, kinds, _ = CASES[case]
    made = models.Sequential(
        [
            layers.Input((STEPS,), dtype="int32"),
            layers.Embedding(VOCABULARY, 5),
            layers.SimpleRNN(4, return_sequences=steps),
            layers.Dense(outputs, activation=activation),
        ]
    )
    rng = np.random.default_rng(8)
    made.set_weights([rng.normal(size=weight.shape) for weight in made.get_weights()])
    config = [each if isinstance(each, str) else type(each).from_config(each.get_config())
              for each in kinds]  # fmt: skip
    made.compile(optimizer, loss, metrics=config)
    return made


def is_native(made: models.Sequential) -> bool:
    assert made._train_step is not None
    return made._train_step._parts[0]._kernel is not None


@pytest.mark.parametrize("steps", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_both_paths_of_a_loss_agree(case: str, steps: bool, monkeypatch: Any) -> None:
    x, y = data(case, steps)
    native, python = model(case, steps=steps), model(case, steps=steps)
    found = native.fit(x, y, batch_size=7, epochs=2, shuffle=False, verbose=0).history
    assert is_native(native) == CASES[case][4]
    tested = native.evaluate(x, y, batch_size=7, verbose=0)
    monkeypatch.setattr(OutputPart, "prepare", lambda self: None)
    want = python.fit(x, y, batch_size=7, epochs=2, shuffle=False, verbose=0).history
    assert not is_native(python)
    assert list(found) == list(want)
    for name in found:
        np.testing.assert_allclose(found[name], want[name], rtol=2e-5, err_msg=name)
    np.testing.assert_allclose(tested, python.evaluate(x, y, batch_size=7, verbose=0), rtol=2e-5)
    for a, b in zip(native.get_weights(), python.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=2e-5)


@pytest.mark.parametrize("case", ["binary", "ids", "squares"])
def test_weights_of_samples_take_the_path_in_python(case: str) -> None:
    x, y = data(case, steps=False)
    weight = np.linspace(0.5, 2.0, SAMPLES)
    made, twice = model(case), model(case)
    made.compile(made.optimizer, made.loss, weighted_metrics=CASES[case][3])
    twice.compile(twice.optimizer, twice.loss, metrics=CASES[case][3])
    ones = made.test_on_batch(x, y, sample_weight=np.ones(SAMPLES))
    np.testing.assert_allclose(ones, twice.test_on_batch(x, y), rtol=1e-6)
    assert not np.allclose(made.test_on_batch(x, y, sample_weight=weight), ones, rtol=1e-3)


class Doubled(losses.MeanSquaredError):
    """A class derived from one that has a kernel."""

    def differentiate(self, *args: Any, **kwargs: Any) -> losses.Differential:
        values, derivative, mask = super().differentiate(*args, **kwargs)
        return losses.Differential(2 * values, 2 * derivative, mask)


class Half(metrics.MeanAbsoluteError):
    def result(self) -> Any:
        return super().result() / 2


class Never(metrics.MeanAbsoluteError):
    def update_state(self, *args: Any) -> None:
        pass


def test_classes_of_users_are_asked() -> None:
    x, y = data("squares", steps=False)
    made = model("squares")
    made.compile("sgd", "mse", metrics=["mae"])
    loss, error = made.test_on_batch(x, y)
    made.compile("sgd", Doubled(), metrics=[Half(), Never(name="never")])
    np.testing.assert_allclose(made.test_on_batch(x, y), [2 * loss, error / 2, 0], rtol=1e-6)


OPTIMIZERS: dict[str, Any] = {
    "sgd": lambda: optimizers.SGD(0.1),
    "momentum": lambda: optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "rmsprop": lambda: optimizers.RMSprop(0.01, momentum=0.5, centered=True),
    "adam": lambda: optimizers.Adam(0.01, amsgrad=True),
    "adamw": lambda: optimizers.AdamW(0.01, weight_decay=0.1, global_clipnorm=0.5),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_all_variables_at_once_get_the_bits_of_one_by_one(name: str, monkeypatch: Any) -> None:
    x, y = data("binary", steps=False)
    together, apart = model("binary", OPTIMIZERS[name]()), model("binary", OPTIMIZERS[name]())
    for made in (together, apart):
        made.optimizer.exclude_from_weight_decay(var_names=["bias"])
    together.fit(x, y, epochs=2, shuffle=False, verbose=0)
    kind = type(apart.optimizer)
    if "_update_steps" in vars(kind):  # AdamW has Adam's
        monkeypatch.setattr(kind, "update_step", one_by_one(kind._update_steps))
    monkeypatch.setattr(kind, "_update_steps", optimizers.Optimizer._update_steps)
    apart.fit(x, y, epochs=2, shuffle=False, verbose=0)
    for a, b in zip(together.get_weights(), apart.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(together.optimizer.slots, apart.optimizer.slots, strict=True):
        np.testing.assert_array_equal(a.value, b.value)


def one_by_one(several: Any) -> Any:
    def update_step(self: Any, gradient: Any, variable: Any, rate: Any, decay: float) -> None:
        several(self, [gradient], [variable], rate, [decay])

    return update_step


class Slower(optimizers.Adam):
    """An optimizer of a user, who states how one variable changes."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any, decay: float) -> None:
        if variable.name != "bias":
            super().update_step(gradient, variable, learning_rate, decay)


def test_an_update_step_of_users_is_asked() -> None:
    x, y = data("binary", steps=False)
    made = model("binary", Slower())
    before = made.get_weights()
    made.train_on_batch(x, y)
    same = [np.array_equal(a, b) for a, b in zip(before, made.get_weights(), strict=True)]
    assert same == [weight.name == "bias" for weight in made.weights]


def calls_of(run: Any) -> int:
    """Count the Python functions that something calls, those in the standard library too."""
    count = 0

    def on_event(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(on_event)
    try:
        run()
    finally:
        sys.setprofile(None)
    return count


def test_a_step_calls_few_functions() -> None:
    x, y = data("binary", steps=False)
    made = model("binary")

    def train(steps: int) -> None:
        data = np.tile(x, (steps, 1)), np.tile(y, (steps, 1))
        made.fit(*data, batch_size=SAMPLES, verbose=0)

    train(2)
    assert (calls_of(lambda: train(22)) - calls_of(lambda: train(2))) / 20 <= 82


def test_to_predict_a_row_calls_few_functions() -> None:
    x, _ = data("binary", steps=False)
    made = model("binary")
    made.predict(x[:1], verbose=0)
    assert calls_of(lambda: made.predict(x[:1], verbose=0)) <= 240
