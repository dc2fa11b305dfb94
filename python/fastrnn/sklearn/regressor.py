"""Which numbers belong to a sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_array, check_consistent_length, column_or_1d

from fastrnn import layers
from fastrnn.sklearn.sequence_estimator import SequenceEstimator

if TYPE_CHECKING:
    from typing_extensions import Self


class SequenceRegressor(RegressorMixin, SequenceEstimator):
    """Tells numbers of a sequence by recurrent layers: a forecast, a remaining time.

    X is as for `SequenceClassifier`, and so are all arguments but `loss`. The targets are taken as
    they are: scale them to about unit variance, as `sklearn.compose.TransformedTargetRegressor`
    does.

    Args:
        cell: `"SimpleRNN"`, `"LSTM"` or `"GRU"`.
        units: Units of each recurrent layer.
        num_layers: How many recurrent layers.
        bidirectional: Whether they read the sequences in both directions.
        dropout: Share of the outputs of each recurrent layer that is dropped in training.
        vocabulary_size: If the sequences are tokens: one more than the largest.
        embedding_dim: Width of the embedding of tokens.
        optimizer: Name of an optimizer, or one of `fastrnn.optimizers`.
        learning_rate: Of the optimizer.
        batch_size: Sequences per step.
        epochs: How often the data are gone through; at most, with `early_stopping`.
        early_stopping: Whether to hold back samples and to end when their loss no longer falls.
        validation_fraction: Share of the samples held back.
        patience: Epochs without a better loss before the training ends.
        loss: Name of a loss, such as `"mse"`, `"mae"` or `"huber"`, or one of `fastrnn.losses`.
        random_state: Seed, `RandomState` or None, as everywhere in scikit-learn.
        verbose: Whether to show progress, as in `Model.fit`.

    Attributes:
        model_: The `fastrnn.Sequential` model.
        history_: Losses of the epochs of the last training, as in `History.history`.
        n_iter_: Epochs trained.
        n_outputs_: Numbers per sequence.
        n_features_in_: Number of features; that of steps for arrays `[samples, steps]`.

    Example:
        >>> import numpy as np
        >>> from fastrnn.sklearn import SequenceRegressor
        >>> X = np.random.default_rng(0).normal(size=(200, 6, 1))
        >>> model = SequenceRegressor(cell="GRU", units=16, random_state=0)
        >>> bool(model.fit(X, X.sum(axis=(1, 2))).score(X, X.sum(axis=(1, 2))) > 0.9)
        True
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
        loss: Any = "mse",
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
        self.loss = loss

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train from the start.

        Args:
            X: Sequences, see the class.
            y: Their numbers, `[samples]` or `[samples, outputs]`.
            sample_weight: Weights `[samples]` of the samples in the loss.

        Returns:
            The estimator.

        Raises:
            ValueError: If the data or an argument of the constructor are not as described.

        Example:
            >>> import numpy as np
            >>> X, y = np.random.default_rng(0).normal(size=(8, 5, 2)), np.ones((8, 3))
            >>> SequenceRegressor(units=4, epochs=1).fit(X, y).n_outputs_
            3
        """
        self._restart()
        x = self._read(X, first=True)
        return self._train(x, self._read_targets(y, len(x), first=True), sample_weight, self.epochs)

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train one epoch more.

        Args:
            X: Sequences, see the class.
            y: Their numbers, `[samples]` or `[samples, outputs]`.
            sample_weight: Weights `[samples]` of the samples in the loss.

        Returns:
            The estimator.

        Raises:
            ValueError: If the data are not as described, or not as in the first call.

        Example:
            >>> import numpy as np
            >>> X, y = np.random.default_rng(0).normal(size=(8, 5, 2)), np.ones(8)
            >>> SequenceRegressor(units=4).partial_fit(X, y).partial_fit(X, y).n_iter_
            2
        """
        first = not hasattr(self, "model_")
        x = self._read(X, first=first)
        return self._train(x, self._read_targets(y, len(x), first=first), sample_weight, 1)

    def predict(self, X: Any) -> np.ndarray:
        """Return the numbers of each sequence.

        Args:
            X: Sequences, see the class.

        Returns:
            Array `[samples]`, or `[samples, outputs]` if the targets had two dimensions.

        Raises:
            ValueError: If X is not as described, or not as in training.

        Example:
            >>> import numpy as np
            >>> X, y = np.random.default_rng(0).normal(size=(8, 5, 2)), np.ones(8)
            >>> SequenceRegressor(units=4, epochs=1).fit(X, y).predict(X).shape
            (8,)
        """
        outputs = self._outputs(X).astype(np.float64)
        return outputs if self._is_table else outputs[:, 0]

    # ---- private

    def _read_targets(self, y: Any, samples: int, *, first: bool) -> np.ndarray:
        y = y if hasattr(y, "ndim") else np.asarray(y)
        is_table = y.ndim == 2 and y.shape[1] > 1
        if is_table:
            targets = check_array(y, dtype=np.float32, estimator=self, input_name="y")
        else:
            targets = check_array(
                column_or_1d(y, warn=True),
                ensure_2d=False,
                dtype=np.float32,
                estimator=self,
                input_name="y",
            )[:, np.newaxis]
        check_consistent_length(np.empty(samples), targets)
        if first:
            self.n_outputs_, self._is_table = targets.shape[1], is_table
        elif targets.shape[1] != self.n_outputs_:
            raise ValueError(
                f"`y` must have {self.n_outputs_} numbers per sequence, as in the first call. "
                f"Received: {targets.shape[1]}"
            )
        return targets

    def _head(self) -> tuple[layers.Layer, Any]:
        return layers.Dense(self.n_outputs_), self.loss

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
