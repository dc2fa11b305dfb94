"""The workloads that `compare.py` can time: one entry of `WORKLOADS` each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from comparison.made_up import (
    MadeUpData,
    PhraseData,
    RecordingData,
    SentenceData,
    SeriesData,
    TextData,
)

CELLS = ("SimpleRNN", "LSTM", "GRU")

# A layer as a system builds it: the name of its Keras class and the arguments of its constructor.
# The argument `layer` of a wrapper is again such a pair. Plain data, so that it can be sent to a
# worker process as JSON (which makes lists of the tuples).
# One name is not a layer of Keras: EncoderDecoder is two recurrent layers of its argument `layer`.
# The first reads the first input, the second the other one, from the final states of the first.
LayerSpec = tuple[str, dict[str, Any]]
Layers = Callable[[str], list[LayerSpec]]

# Arguments whose effect is drawn at random during training.
RANDOM_ARGUMENTS = frozenset({"dropout", "recurrent_dropout", "rate"})


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

    @property
    def note(self) -> str:
        """What a batch is, in a word."""
        return f"{self.padding}-padded"


@dataclass(frozen=True)
class NumberData:
    """How a sequence of numbers becomes windows, each with the number that follows it.

    Args:
        numbers: The sequence is 0 to `numbers - 1`, divided by `numbers`.
        steps: Numbers in a window.
    """

    numbers: int
    steps: int

    @property
    def note(self) -> str:
        """What a batch is, in a word."""
        return "windows of numbers"


@dataclass(frozen=True)
class Workload:
    """One model, its data and how it is trained.

    Args:
        name: What `--workload` calls it.
        data: The data it is trained on.
        layers: Gives the layers of the model, first to last, for a cell of `cells`.
        batch: Samples per training step.
        turn: Training steps that a system does before the next one has its turn: about two seconds
            for all systems together.
        cells: Cells that the workload is run with.
        loss: Keras's name of the loss.
        metric: Keras's name of the metric that is shown beside the loss.
        learning_rate: Learning rate of Adam.
        samples: Training samples in an epoch.
        tolerance: How far the mean losses of the last round may lie apart, relatively.
        predicts: Whether prediction is timed in place of training.
    """

    name: str
    data: ReviewData | NumberData | MadeUpData
    layers: Layers
    batch: int
    turn: int
    cells: tuple[str, ...] = CELLS
    loss: str = "binary_crossentropy"
    metric: str = "accuracy"
    learning_rate: float = 0.001
    samples: int = 25_000
    tolerance: float = 0.05
    predicts: bool = False


def all_layers(layers: Sequence[LayerSpec]) -> Iterator[LayerSpec]:
    """The layers, and those inside wrappers."""
    for layer in layers:
        yield layer
        if "layer" in layer[1]:
            yield from all_layers([layer[1]["layer"]])


def is_random(layers: Sequence[LayerSpec]) -> bool:
    """Whether training draws random numbers, so that no two systems compute the same."""
    return any(not RANDOM_ARGUMENTS.isdisjoint(options) for _, options in all_layers(layers))


def review_classifier(vocabulary: int, embedding: int, units: int, **options: Any) -> Layers:
    """Embedding, one recurrent layer, one sigmoid unit: the model of every IMDB tutorial.

    Args:
        vocabulary: Rows of the embedding.
        embedding: Its width.
        units: Units of the recurrent layer.
        **options: Further arguments of the recurrent layer.
    """

    def layers(cell: str) -> list[LayerSpec]:
        return [
            ("Embedding", {"input_dim": vocabulary, "output_dim": embedding}),
            (cell, {"units": units, **options}),
            ("Dense", {"units": 1, "activation": "sigmoid"}),
        ]

    return layers


SEQUENCES = {"return_sequences": True}


def _masked(cell: str) -> list[LayerSpec]:
    return [
        ("Embedding", {"input_dim": 10_000, "output_dim": 32, "mask_zero": True}),
        (cell, {"units": 64}),
        ("Dense", {"units": 1, "activation": "sigmoid"}),
    ]


def _stacked(cell: str) -> list[LayerSpec]:
    return [
        ("Embedding", {"input_dim": 10_000, "output_dim": 16}),
        (cell, {"units": 64, **SEQUENCES}),
        (cell, {"units": 32}),
        ("Dense", {"units": 6, "activation": "relu"}),
        ("Dense", {"units": 1, "activation": "sigmoid"}),
    ]


def _bidirectional(cell: str) -> list[LayerSpec]:
    return [
        ("Embedding", {"input_dim": 10_000, "output_dim": 32}),
        ("Bidirectional", {"layer": (cell, {"units": 64})}),
        ("Dense", {"units": 1, "activation": "sigmoid"}),
    ]


def _numeric(cell: str) -> list[LayerSpec]:
    return [(cell, {"units": 50, "activation": "relu"}), ("Dense", {"units": 1})]


def _forecaster(*units: int, dropout: float = 0.0) -> Layers:
    """Recurrent layers on top of each other, with dropout between them, and one number."""

    def layers(cell: str) -> list[LayerSpec]:
        stack: list[LayerSpec] = []
        for number, size in enumerate(units, start=1):
            last = number == len(units)
            stack.append((cell, {"units": size} if last else {"units": size, **SEQUENCES}))
            if dropout and not last:
                stack.append(("Dropout", {"rate": dropout}))
        return [*stack, ("Dense", {"units": 1})]

    return layers


def _tagger(cell: str) -> list[LayerSpec]:
    dense = ("Dense", {"units": 10, "activation": "softmax"})
    return [
        ("Embedding", {"input_dim": 20_000, "output_dim": 100}),
        ("Bidirectional", {"layer": (cell, {"units": 64, **SEQUENCES})}),
        ("TimeDistributed", {"layer": dense}),
    ]


def _sensor(cell: str) -> list[LayerSpec]:
    return [
        (cell, {"units": 64, **SEQUENCES, "activation": "relu"}),
        (cell, {"units": 128, **SEQUENCES, "activation": "relu"}),
        (cell, {"units": 64, "activation": "relu"}),
        ("Dense", {"units": 64, "activation": "relu"}),
        ("Dense", {"units": 32, "activation": "relu"}),
        ("Dense", {"units": 3, "activation": "softmax"}),
    ]


def _char(cell: str) -> list[LayerSpec]:
    return [(cell, {"units": 128}), ("Dense", {"units": 60, "activation": "softmax"})]


def _seq2seq(cell: str) -> list[LayerSpec]:
    return [
        ("EncoderDecoder", {"layer": (cell, {"units": 256})}),
        ("Dense", {"units": 90, "activation": "softmax"}),
    ]


def _cnn_lstm(cell: str) -> list[LayerSpec]:
    return [
        ("Embedding", {"input_dim": 20_000, "output_dim": 128}),
        ("Conv1D", {"filters": 64, "kernel_size": 5, "activation": "relu"}),
        ("MaxPooling1D", {"pool_size": 4}),
        (cell, {"units": 70}),
        ("Dense", {"units": 1, "activation": "sigmoid"}),
    ]


def describe(workload: Workload, cell: str) -> str:
    """One line that names the model and the shape of a batch."""
    model = " -> ".join(_describe_layer(layer) for layer in workload.layers(cell))
    text = f"{model}, batch {workload.batch} x {workload.data.steps} steps ({workload.data.note})"
    if workload.predicts:
        return text
    return f"{text}, {workload.loss}, Adam({workload.learning_rate:g}), metric {workload.metric}"


def _describe_layer(layer: LayerSpec) -> str:
    """The layer as a call; sizes and names of functions speak for themselves."""
    kind, options = layer
    shown = []
    for name, value in options.items():
        if name == "layer":
            shown.append(_describe_layer(value))
        elif isinstance(value, int | str) and not isinstance(value, bool):
            shown.append(str(value))
        else:
            shown.append(f"{name}={value}")
    return f"{kind}({', '.join(shown)})"


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload(
            "imdb-200",
            data=ReviewData(vocabulary=10_000, steps=200),
            layers=review_classifier(10_000, embedding=32, units=50),
            batch=64,
            turn=10,
        ),
        Workload(
            "imdb-100",
            data=ReviewData(vocabulary=4_000, steps=100, padding="post"),
            layers=review_classifier(4_000, embedding=128, units=128),
            batch=30,
            turn=10,
        ),
        Workload(
            "imdb-300",
            data=ReviewData(vocabulary=10_000, steps=300),
            layers=review_classifier(10_000, embedding=64, units=100),
            batch=128,
            turn=4,
        ),
        Workload(
            "imdb-300-dropout",
            data=ReviewData(vocabulary=10_000, steps=300),
            layers=review_classifier(
                10_000, embedding=64, units=100, dropout=0.3, recurrent_dropout=0.3
            ),
            batch=128,
            turn=4,
        ),
        Workload(
            "imdb-500",
            data=ReviewData(vocabulary=5_000, steps=500),
            layers=review_classifier(5_000, embedding=32, units=100),
            batch=64,
            turn=4,
        ),
        Workload(
            "masked",
            # Zeros at the end: nothing but padding may be the token 0, and PyTorch's packed
            # sequences start at the first step.
            data=ReviewData(vocabulary=10_000, steps=200, padding="post"),
            layers=_masked,
            batch=64,
            turn=4,
            cells=("LSTM",),
        ),
        Workload(
            "stacked",
            data=ReviewData(vocabulary=10_000, steps=120),
            layers=_stacked,
            batch=64,
            turn=10,
            cells=("LSTM",),
        ),
        Workload(
            "bidirectional",
            data=ReviewData(vocabulary=10_000, steps=200),
            layers=_bidirectional,
            batch=64,
            turn=5,
            cells=("LSTM",),
        ),
        Workload(
            "wide-256",
            data=ReviewData(vocabulary=10_000, steps=100),
            layers=review_classifier(10_000, embedding=128, units=256),
            batch=64,
            turn=4,
            cells=("LSTM", "GRU"),
        ),
        Workload(
            "wide-512",
            data=ReviewData(vocabulary=10_000, steps=100),
            layers=review_classifier(10_000, embedding=256, units=512),
            batch=64,
            turn=2,
            cells=("LSTM", "GRU"),
        ),
        Workload(
            "wide-1024",
            data=ReviewData(vocabulary=10_000, steps=50),
            layers=review_classifier(10_000, embedding=512, units=1024),
            batch=64,
            turn=2,
            cells=("LSTM", "GRU"),
        ),
        Workload(
            "numeric",
            data=NumberData(numbers=100, steps=10),
            layers=_numeric,
            batch=32,
            turn=200,
            cells=("SimpleRNN",),
            loss="mse",
            metric="mse",
        ),
        Workload(
            "forecast-1",
            data=SeriesData(steps=60, features=1),
            layers=_forecaster(50, 50, 50, 50, dropout=0.2),
            batch=32,
            turn=10,
            cells=("LSTM",),
            loss="mse",
            metric="mse",
        ),
        Workload(
            "forecast-24",
            data=SeriesData(steps=30, features=24),
            layers=_forecaster(100, 50),
            batch=32,
            turn=25,
            cells=("LSTM",),
            loss="mse",
            metric="mse",
        ),
        Workload(
            "forecast-gru",
            data=SeriesData(steps=48, features=7),
            layers=_forecaster(64),
            batch=32,
            turn=40,
            cells=("GRU",),
            loss="mse",
            metric="mse",
        ),
        Workload(
            "tagger",
            data=SentenceData(vocabulary=20_000, steps=50, tags=10),
            layers=_tagger,
            batch=64,
            turn=10,
            cells=("LSTM",),
            loss="sparse_categorical_crossentropy",
            # Keras on TensorFlow has another Adam for frequent words (see METHOD.md), and so learns
            # their tags sooner; all others agree in five digits.
            tolerance=0.5,
        ),
        Workload(
            "sensor",
            data=RecordingData(steps=30, features=1662, classes=3),
            layers=_sensor,
            batch=32,
            turn=4,
            cells=("LSTM",),
            loss="sparse_categorical_crossentropy",
            learning_rate=0.0001,  # with 0.001 the units with relu blow up, and rounding decides
            samples=1_280,  # 255 MB
        ),
        Workload(
            "char",
            data=TextData(steps=40, characters=60),
            layers=_char,
            batch=128,
            turn=10,
            cells=("LSTM",),
            loss="sparse_categorical_crossentropy",
            samples=12_800,  # 123 MB
        ),
        Workload(
            "seq2seq",
            data=PhraseData(steps=30, characters=70, target_characters=90),
            layers=_seq2seq,
            batch=64,
            turn=5,
            cells=("LSTM",),
            loss="sparse_categorical_crossentropy",
            samples=10_000,  # 192 MB
        ),
        Workload(
            "cnn_lstm",
            data=ReviewData(vocabulary=20_000, steps=100),
            layers=_cnn_lstm,
            batch=30,
            turn=10,
            cells=("LSTM",),
        ),
        Workload(
            "predict",
            data=ReviewData(vocabulary=10_000, steps=200),
            layers=review_classifier(10_000, embedding=32, units=50),
            batch=32,
            turn=5_000,
            cells=("LSTM",),
            predicts=True,
        ),
    )
}
