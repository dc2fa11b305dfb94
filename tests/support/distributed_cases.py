"""Small trainings that several processes share, as a script that `mpiexec` starts.

    mpiexec -n 2 python -m support.distributed_cases FOLDER GROUPS [NAME ...]

Each rank writes what it has computed to a file of its own in the folder.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fastrnn
import numpy as np
from fastrnn import distribution, layers, losses, metrics, optimizers, regularizers

RNG = np.random.default_rng(5)
ROWS = 22  # the last batch of 8 has 6 rows, so that groups differ in size
TOKENS = RNG.integers(0, 30, (ROWS, 7))
NUMBERS = RNG.normal(size=(ROWS, 6, 3)).astype(np.float32)
CLASSES = RNG.integers(0, 2, (ROWS, 1)).astype(np.float32)
STEP_CLASSES = RNG.integers(0, 4, (ROWS, 6))
VALUES = RNG.normal(size=(ROWS, 2)).astype(np.float32)
WEIGHTS = RNG.uniform(0.1, 2.0, ROWS).astype(np.float32)
LISTS = [RNG.normal(size=(steps, 2)).astype(np.float32) for steps in RNG.integers(1, 9, ROWS)]
LIST_LABELS = [RNG.normal(size=len(each)).astype(np.float32) for each in LISTS]


class LargestError(metrics.Metric):
    """Not a sum: the ranks must hand over their outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.largest = 0.0

    def reset_state(self) -> None:
        self.largest = 0.0

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self.largest = max(self.largest, float(np.abs(y_true - y_pred).max()))

    def result(self) -> float:
        return self.largest


class Batches(fastrnn.utils.PyDataset):
    """Batches by their numbers."""

    def __len__(self) -> int:
        return 3

    def __getitem__(self, number: int) -> Any:
        rows = slice(7 * number, 7 * number + 7)
        return NUMBERS[rows], VALUES[rows], WEIGHTS[rows]


def generator() -> Iterator[Any]:
    while True:
        for start in range(0, 20, 5):
            yield NUMBERS[start : start + 5], VALUES[start : start + 5]


def words(dropout: float = 0.0) -> Any:
    model = fastrnn.Sequential(
        [
            layers.Embedding(30, 4, mask_zero=True),
            layers.Bidirectional(layers.LSTM(3, dropout=dropout, recurrent_dropout=dropout)),
            layers.Dropout(dropout),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(
        optimizers.Adam(0.02, global_clipnorm=0.05),
        "binary_crossentropy",
        metrics=["accuracy", metrics.AUC(), metrics.Precision()],
        weighted_metrics=["accuracy"],
    )
    return model, {
        "x": TOKENS,
        "y": CLASSES,
        "sample_weight": WEIGHTS,
        "validation_data": (TOKENS[:9], CLASSES[:9], WEIGHTS[:9]),
    }


def with_dropout() -> Any:
    return words(0.4)


def rows_of_a_table() -> Any:
    """Momentum and decay of all rows, gradients of few; the table is used twice."""
    model = fastrnn.Sequential(
        [
            layers.Embedding(300, 3, embeddings_regularizer=regularizers.L2(0.01)),
            layers.GRU(4, activity_regularizer=regularizers.L2(0.3)),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(optimizers.SGD(0.5, momentum=0.9), "binary_crossentropy", metrics=["mse"])
    return model, {"x": TOKENS * 9, "y": CLASSES, "class_weight": {0: 2.0, 1: 0.5}}


def table_used_twice() -> Any:
    past, today = fastrnn.Input((7,)), fastrnn.Input((2,))
    table = layers.Embedding(30, 3)
    joined = layers.Concatenate()([layers.GRU(3)(table(past)), layers.Flatten()(table(today))])
    model = fastrnn.Model([past, today], layers.Dense(1)(joined))
    model.compile(optimizers.SGD(0.1), "mse", metrics=[metrics.RootMeanSquaredError()])
    return model, {"x": [TOKENS, TOKENS[:, :2]], "y": VALUES[:, :1]}


def lists() -> Any:
    """Sequences of differing lengths, an output for each step."""
    model = fastrnn.Sequential(
        [layers.GRU(3, return_sequences=True), layers.TimeDistributed(layers.Dense(1))]
    )
    model.compile("rmsprop", "mse", metrics=["mae", LargestError()])
    return model, {"x": LISTS, "y": LIST_LABELS, "validation_data": (LISTS[:5], LIST_LABELS[:5])}


def several_outputs() -> Any:
    """Losses that count different things: steps that are not ignored, weights, rows."""
    inputs = fastrnn.Input((6, 3))
    hidden = layers.LSTM(4, return_sequences=True)(layers.Masking(0.0)(inputs))
    steps = layers.Dense(4, activation="softmax", name="steps")(hidden)
    last = layers.SimpleRNN(3)(hidden)
    one = layers.Dense(2, name="one")(last)
    other = layers.Dense(1, name="other")(last)
    model = fastrnn.Model(inputs, [steps, one, other])
    model.compile(
        "adam",
        [
            losses.SparseCategoricalCrossentropy(ignore_class=3),
            losses.MeanSquaredError(reduction="mean_with_sample_weight"),
            losses.Huber(reduction="sum"),
        ],
        loss_weights=[1.0, 0.7, 0.2],
        metrics=[["accuracy"], [LargestError(), metrics.R2Score()], None],
        weighted_metrics=[None, ["mse"], ["mae"]],
    )
    x = NUMBERS.copy()
    x[::3, 4:] = 0.0
    labels = [STEP_CLASSES, VALUES, VALUES[:, :1]]
    return model, {"x": x, "y": labels, "sample_weight": [None, WEIGHTS, WEIGHTS]}


def own_loss(y_true: Any, y_pred: Any) -> Any:
    return fastrnn.ops.mean(fastrnn.ops.square(y_true - y_pred), axis=-1)


class Penalized(layers.Layer):
    """Adds the mean square of its output to the loss."""

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight((input_shape[-1], 2), name="kernel")

    def call(self, x: Any) -> Any:
        y = fastrnn.ops.matmul(x, self.kernel)
        self.add_loss(0.4 * fastrnn.ops.mean(fastrnn.ops.square(y)))
        return y


def added_losses() -> Any:
    model = fastrnn.Sequential([layers.GRU(3), Penalized()])
    model.compile("adam", "mse", metrics=["mae"])
    return model, {"x": NUMBERS, "y": VALUES}


def numbered_batches() -> Any:
    model = fastrnn.Sequential([layers.GRU(3), layers.LayerNormalization(), layers.Dense(2)])
    model.compile(optimizers.Adam(0.01, use_ema=True), own_loss, metrics=[metrics.R2Score()])
    return model, {"x": Batches(), "batch_size": None, "validation_data": Batches()}


def endless_batches() -> Any:
    model = fastrnn.Sequential([layers.SimpleRNN(3), layers.Dense(2)])
    model.compile(optimizers.Adam(0.01, gradient_accumulation_steps=2), "mse", metrics=["mae"])
    return model, {"x": generator(), "batch_size": None, "steps_per_epoch": 3}


def large_layers() -> Any:
    """Gradients of several buckets, some of which travel while lower layers go back."""
    model = fastrnn.Sequential(
        [
            layers.Embedding(30, 8),
            layers.LSTM(60, return_sequences=True),
            layers.GRU(70, return_sequences=True),
            layers.SimpleRNN(90),
            layers.Dense(200),
            layers.Dense(2),
        ]
    )
    model.compile(optimizers.Adam(0.002, clipnorm=0.4), "mse", metrics=["mae"])
    return model, {"x": TOKENS, "y": VALUES}


class Remembers(optimizers.Optimizer):
    """Goes against the sum of this gradient and the one before."""

    def build(self, variables: Any) -> None:
        super().build(variables)
        self.before: dict[int, Any] = {}

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any, decay: Any) -> None:
        before = self.before.get(id(variable), 0.0)
        variable.value[...] -= learning_rate * (gradient + before)
        self.before[id(variable)] = gradient
        gradient += 0.1


def own_optimizer() -> Any:
    model = fastrnn.Sequential([layers.Embedding(30, 3), layers.GRU(3), layers.Dense(2)])
    model.compile(Remembers(learning_rate=0.1), "mse", metrics=["mae"])
    return model, {"x": TOKENS, "y": VALUES}


def three_rows() -> Any:
    """Fewer rows than groups."""
    model = fastrnn.Sequential([layers.GRU(3), layers.Dense(2)])
    model.compile("adam", "mse", metrics=["mae"])
    return model, {"x": NUMBERS, "y": VALUES, "batch_size": 3, "shuffle": "batch"}


CASES: dict[str, Callable[[], Any]] = {
    each.__name__: each
    for each in (
        words,
        with_dropout,
        rows_of_a_table,
        table_used_twice,
        lists,
        several_outputs,
        added_losses,
        numbered_batches,
        endless_batches,
        large_layers,
        own_optimizer,
        three_rows,
    )
}


def run(name: str) -> dict[str, Any]:
    """Train, test and predict; return all that came of it."""
    fastrnn.backend.clear_session()  # layers and metrics have the same names each time
    fastrnn.utils.set_random_seed(3)
    model, arguments = CASES[name]()
    history = model.fit(**{"epochs": 3, "verbose": 0, "batch_size": 8, **arguments})
    data = {key: arguments[key] for key in ("x", "y", "sample_weight") if key in arguments}
    if name == "endless_batches":
        data = {"x": NUMBERS, "y": VALUES}
    x = data["x"]
    return {
        "weights": model.get_weights(),
        "slots": [slot.value for slot in model.optimizer.slots],
        "history": history.history,
        "evaluate": model.evaluate(**data, batch_size=None, verbose=0, return_dict=True),
        "predict": model.predict(x, verbose=0),
        "random": fastrnn.random.make_seed(),
    }


def main() -> None:
    folder, groups, *names = sys.argv[1:]
    distribution.initialize()
    own = distribution.DataParallel(groups=int(groups))
    distribution.set_distribution(own)
    found = {name: run(name) for name in names or CASES}
    Path(folder, f"{own.rank}.pickle").write_bytes(pickle.dumps(found))


if __name__ == "__main__":
    main()
