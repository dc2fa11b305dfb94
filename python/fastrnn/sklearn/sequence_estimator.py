"""What SequenceClassifier and SequenceRegressor share: their model and its training."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from fastrnn import callbacks, layers, optimizers, random
from fastrnn.models import Sequential
from fastrnn.sklearn.sequences import Sequences, choose, read_sequences

if TYPE_CHECKING:
    from typing_extensions import Self

CELLS: dict[str, Any] = {"SimpleRNN": layers.SimpleRNN, "LSTM": layers.LSTM, "GRU": layers.GRU}


class SequenceEstimator(BaseEstimator):
    """A model of recurrent layers and a Dense layer. The classes for use say what it predicts."""

    def __init__(
        self,
        cell: str = "LSTM",
        units: int = 32,
        num_layers: int = 1,
        bidirectional: bool = False,
        dropout: float = 0.0,
        vocabulary_size: int | None = None,
        embedding_dim: int = 32,
        optimizer: str = "adam",
        learning_rate: float = 0.005,
        batch_size: int = 32,
        epochs: int = 30,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        patience: int = 5,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.cell = cell
        self.units = units
        self.num_layers = num_layers
        self.bidirectional = bidirectional
        self.dropout = dropout
        self.vocabulary_size = vocabulary_size
        self.embedding_dim = embedding_dim
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.epochs = epochs
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.random_state = random_state
        self.verbose = verbose

    _randomness: dict[str, Any]  # what the next training draws from; set by the first

    # ---- what the estimators differ in

    @abstractmethod
    def _head(self) -> tuple[layers.Layer, Any]:
        """Return the last layer and the loss."""

    def _strata(self, y: np.ndarray) -> np.ndarray | None:
        """Return the labels whose shares the samples for early stopping keep, if any."""
        return None

    # ---- training

    def _train(self, x: Sequences, y: np.ndarray, weights: Any, epochs: int) -> Self:
        """Train `model_`, which is made if there is none."""
        if weights is not None:
            weights = _check_sample_weight(weights, y, dtype=np.float32)
        with self._own_randomness():
            if not hasattr(self, "model_"):
                self.model_ = self._make_model()
            held_out: tuple[Any, ...] | None = None
            stopping = []
            if self.early_stopping and epochs > 1:
                train, test = train_test_split(
                    np.arange(len(y)),
                    test_size=self.validation_fraction,
                    stratify=self._strata(y),
                    random_state=random.make_seed(),
                )
                held_out = (choose(x, test), y[test])
                if weights is not None:
                    held_out = (*held_out, weights[test])
                    weights = weights[train]
                x, y = choose(x, train), y[train]
                stopping = [
                    callbacks.EarlyStopping(patience=self.patience, restore_best_weights=True)
                ]
            run = self.model_.fit(
                x,
                y,
                batch_size=self.batch_size,
                epochs=epochs,
                sample_weight=weights,
                validation_data=held_out,
                callbacks=stopping,
                verbose=self.verbose,
            )
        self.history_ = run.history
        self.n_iter_ = getattr(self, "n_iter_", 0) + len(run.history["loss"])
        return self

    def _restart(self) -> None:
        """Forget an earlier training."""
        for name in ("model_", "n_iter_", "_randomness"):
            if hasattr(self, name):
                delattr(self, name)

    def _make_model(self) -> Sequential:
        if self.cell not in CELLS:
            raise ValueError(f"`cell` must be one of {', '.join(CELLS)}. Received: {self.cell!r}")
        if isinstance(self.num_layers, bool) or self.num_layers < 1:
            raise ValueError(f"`num_layers` must be an integer >= 1. Received: {self.num_layers!r}")
        model = Sequential()
        if self.vocabulary_size is not None:
            model.add(layers.Embedding(self.vocabulary_size, self.embedding_dim))
        for number in range(self.num_layers):
            below = number + 1 < self.num_layers
            layer = CELLS[self.cell](self.units, return_sequences=below)
            model.add(layers.Bidirectional(layer) if self.bidirectional else layer)
            if self.dropout:
                model.add(layers.Dropout(self.dropout))
        head, loss = self._head()
        model.add(head)
        optimizer = optimizers.get(self.optimizer)
        optimizer.learning_rate = self.learning_rate
        model.compile(optimizer=optimizer, loss=loss)
        return model

    @contextmanager
    def _own_randomness(self) -> Iterator[None]:
        """Draw from `random_state`, or on from where the last training ended.

        Whatever else draws random numbers is not disturbed.
        """
        seed = None
        if not hasattr(self, "_randomness"):
            seed = int(check_random_state(self.random_state).randint(2**31))
        others = random.get_state()
        try:
            if seed is None:
                random.set_state(self._randomness)
            else:
                random.set_random_seed(seed)
            yield
            self._randomness = random.get_state()
        finally:
            random.set_state(others)

    # ---- prediction

    def _read(self, x: Any, *, first: bool) -> Sequences:
        return read_sequences(self, x, tokens=self.vocabulary_size is not None, first=first)

    def _outputs(self, x: Any) -> np.ndarray:
        """Return the model's outputs [samples, outputs]."""
        check_is_fitted(self, "model_")
        outputs: np.ndarray = self.model_.predict(self._read(x, first=False), verbose=0)
        return outputs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags
