"""Which class a sequence belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils import assert_all_finite
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, column_or_1d

from fastrnn import layers
from fastrnn.sklearn.sequence_estimator import SequenceEstimator

if TYPE_CHECKING:
    from typing_extensions import Self


class SequenceClassifier(ClassifierMixin, SequenceEstimator):
    """Tells the class of a sequence by recurrent layers: one label per sequence.

    X, for all methods, is one of

    - an array `[samples, steps, features]`;
    - an array `[samples, steps]`: one feature, or tokens if `vocabulary_size` is given. As
      scikit-learn asks of such arrays, all calls must have the same number of steps;
    - a list of sequences of any lengths, each `[steps, features]` or `[steps]`. Each counts with
      its own steps alone.

    Args:
        cell: `"SimpleRNN"`, `"LSTM"` or `"GRU"`.
        units: Units of each recurrent layer.
        num_layers: How many recurrent layers.
        bidirectional: Whether they read the sequences in both directions.
        dropout: Share of the outputs of each recurrent layer that is dropped in training.
        vocabulary_size: If the sequences are tokens: one more than the largest. An embedding then
            comes first.
        embedding_dim: Width of the embedding.
        optimizer: Name of an optimizer, or one of `fastrnn.optimizers`.
        learning_rate: Of the optimizer.
        batch_size: Sequences per step.
        epochs: How often the data are gone through; at most, with `early_stopping`.
        early_stopping: Whether to hold back samples and to end when their loss no longer falls. The
            weights of the best epoch are kept.
        validation_fraction: Share of the samples held back.
        patience: Epochs without a better loss before the training ends.
        class_weight: Weight of each label, as a dict; `"balanced"`; or None for equal ones.
        random_state: Seed, `RandomState` or None, as everywhere in scikit-learn.
        verbose: Whether to show progress, as in `Model.fit`.

    Attributes:
        classes_: The labels, sorted.
        model_: The `fastrnn.Sequential` model.
        history_: Losses of the epochs of the last training, as in `History.history`.
        n_iter_: Epochs trained.
        n_features_in_: Number of features; that of steps for arrays `[samples, steps]`.

    Example:
        >>> import numpy as np
        >>> from fastrnn.sklearn import SequenceClassifier
        >>> X = [np.sin(np.arange(n) * f) for n in range(10, 50) for f in (0.2, 1.5)]
        >>> y = ["slow", "fast"] * 40
        >>> model = SequenceClassifier(cell="GRU", learning_rate=0.02, random_state=0)
        >>> model.fit(X, y).score(X, y)
        1.0
    """

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
        class_weight: dict[Any, float] | str | None = None,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        super().__init__(
            cell=cell,
            units=units,
            num_layers=num_layers,
            bidirectional=bidirectional,
            dropout=dropout,
            vocabulary_size=vocabulary_size,
            embedding_dim=embedding_dim,
            optimizer=optimizer,
            learning_rate=learning_rate,
            batch_size=batch_size,
            epochs=epochs,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            patience=patience,
            random_state=random_state,
            verbose=verbose,
        )
        self.class_weight = class_weight

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train from the start.

        Args:
            X: Sequences, see the class.
            y: Their labels `[samples]`.
            sample_weight: Weights `[samples]` of the samples in the loss.

        Returns:
            The estimator.

        Raises:
            ValueError: If the data or an argument of the constructor are not as described.

        Example:
            >>> import numpy as np
            >>> X, y = np.random.default_rng(0).normal(size=(8, 5, 2)), [0, 1] * 4
            >>> SequenceClassifier(units=4, epochs=1).fit(X, y).classes_.tolist()
            [0, 1]
        """
        self._restart()
        x = self._read(X, first=True)
        labels = self._read_labels(y, len(x))
        self.classes_ = np.unique(labels)
        return self._train_on(x, labels, sample_weight, self.epochs)

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train one epoch more.

        Args:
            X: Sequences, see the class.
            y: Their labels `[samples]`.
            classes: All labels that will occur; needed in the first call if `y` lacks some.
            sample_weight: Weights `[samples]` of the samples in the loss.

        Returns:
            The estimator.

        Raises:
            ValueError: If the data are not as described, or `y` has labels that are not among the
                classes.

        Example:
            >>> import numpy as np
            >>> X = np.random.default_rng(0).normal(size=(8, 5, 2))
            >>> estimator = SequenceClassifier(units=4).partial_fit(X, [0] * 8, classes=[0, 1])
            >>> estimator.partial_fit(X, [1] * 8).n_iter_
            2
        """
        first = not hasattr(self, "model_")
        x = self._read(X, first=first)
        labels = self._read_labels(y, len(x))
        if first:
            self.classes_ = np.unique(labels if classes is None else classes)
        elif classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(
                f"`classes` must be those of the first call, {self.classes_.tolist()}. "
                f"Received: {list(classes)}"
            )
        unknown = np.setdiff1d(labels, self.classes_)
        if unknown.size:
            raise ValueError(
                f"`y` must have labels among {self.classes_.tolist()}. Received: {unknown.tolist()}"
            )
        return self._train_on(x, labels, sample_weight, 1)

    def predict(self, X: Any) -> np.ndarray:
        """Return the label of each sequence, the most probable one.

        Args:
            X: Sequences, see the class.

        Returns:
            Array `[samples]`.

        Raises:
            ValueError: If X is not as described, or not as in training.

        Example:
            >>> import numpy as np
            >>> X, y = np.random.default_rng(0).normal(size=(8, 5, 2)), ["a", "b"] * 4
            >>> SequenceClassifier(units=4, epochs=1).fit(X, y).predict(X).shape
            (8,)
        """
        winners = self.predict_proba(X).argmax(axis=1)
        return self.classes_[winners]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each class.

        Args:
            X: Sequences, see the class.

        Returns:
            Array `[samples, classes]`, in the order of `classes_`. Rows sum to 1.

        Raises:
            ValueError: If X is not as described, or not as in training.

        Example:
            >>> import numpy as np
            >>> X, y = np.random.default_rng(0).normal(size=(8, 5, 2)), [0, 1, 2, 0] * 2
            >>> SequenceClassifier(units=4, epochs=1).fit(X, y).predict_proba(X).shape
            (8, 3)
        """
        outputs = self._outputs(X).astype(np.float64)
        if outputs.shape[1] == 1 and len(self.classes_) == 2:
            return np.hstack([1 - outputs, outputs])
        return outputs / outputs.sum(axis=1, keepdims=True)

    # ---- private

    def _read_labels(self, y: Any, samples: int) -> np.ndarray:
        labels: np.ndarray = column_or_1d(y, warn=True)
        assert_all_finite(labels, input_name="y")
        check_classification_targets(labels)
        check_consistent_length(np.empty(samples), labels)
        return labels

    def _train_on(self, x: Any, labels: np.ndarray, sample_weight: Any, epochs: int) -> Self:
        weights = sample_weight
        if self.class_weight is not None:
            weights = compute_sample_weight(self.class_weight, labels)
            if sample_weight is not None:
                weights = weights * np.asarray(sample_weight)
        return self._train(x, np.searchsorted(self.classes_, labels), weights, epochs)

    def _strata(self, y: np.ndarray) -> np.ndarray | None:
        return y

    def _head(self) -> tuple[layers.Layer, Any]:
        count = len(self.classes_)
        if count == 2:
            return layers.Dense(1, activation="sigmoid"), "binary_crossentropy"
        return layers.Dense(count, activation="softmax"), "sparse_categorical_crossentropy"
