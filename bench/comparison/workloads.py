"""The workloads that `compare.py` can time: one entry of `WORKLOADS` each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

CELLS = ("SimpleRNN", "LSTM", "GRU")

# A layer as a system builds it: the name of its Keras class and the arguments of its constructor.
# Plain data, so that it can be sent to a worker process as JSON.
LayerSpec = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class ReviewData:
    """How reviews become a matrix of tokens.

    Args:
        vocabulary: Number of distinct tokens; rarer words become the out-of-vocabulary token.
        steps: Time steps that each review is padded or cut to.
        padding: `"pre"` or `"post"`, the side that is filled with zeros.
    """

    vocabulary: int
    steps: int
    padding: str = "pre"


@dataclass(frozen=True)
class Workload:
    """One model, its data and how it is trained.

    Args:
        name: What `--workload` calls it.
        data: The data it is trained on.
        layers: Gives the layers of the model, first to last, for a cell of `cells`.
        batch: Samples per training step.
        loss: Keras's name of the loss.
        metric: Keras's name of the metric that is shown beside the loss.
        learning_rate: Learning rate of Adam.
        cells: Cells that the workload is run with.
    """

    name: str
    data: ReviewData
    layers: Callable[[str], list[LayerSpec]]
    batch: int
    loss: str = "binary_crossentropy"
    metric: str = "accuracy"
    learning_rate: float = 0.001
    cells: tuple[str, ...] = CELLS


def review_classifier(
    vocabulary: int, embedding: int, units: int
) -> Callable[[str], list[LayerSpec]]:
    """Embedding, one recurrent layer, one sigmoid unit: the model of every IMDB tutorial."""

    def layers(cell: str) -> list[LayerSpec]:
        return [
            ("Embedding", {"input_dim": vocabulary, "output_dim": embedding}),
            (cell, {"units": units}),
            ("Dense", {"units": 1, "activation": "sigmoid"}),
        ]

    return layers


def describe(workload: Workload, cell: str) -> str:
    """One line that names the model and the shape of a batch."""
    model = " -> ".join(
        f"{kind}({', '.join(str(value) for value in options.values())})"
        for kind, options in workload.layers(cell)
    )
    return (
        f"{model}, batch {workload.batch} x {workload.data.steps} steps "
        f"({workload.data.padding}-padded), Adam({workload.learning_rate:g})"
    )


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload(
            "imdb-200",
            data=ReviewData(vocabulary=10_000, steps=200),
            layers=review_classifier(10_000, embedding=32, units=50),
            batch=64,
        ),
        Workload(
            "imdb-100",
            data=ReviewData(vocabulary=4_000, steps=100, padding="post"),
            layers=review_classifier(4_000, embedding=128, units=128),
            batch=30,
        ),
        Workload(
            "imdb-300",
            data=ReviewData(vocabulary=10_000, steps=300),
            layers=review_classifier(10_000, embedding=64, units=100),
            batch=128,
        ),
    )
}
