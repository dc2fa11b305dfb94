"""Training, testing and prediction: `fit`, `evaluate`, `predict` and kin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from fastrnn import parallel
from fastrnn.callbacks import Callback, CallbackList, History
from fastrnn.layers.traced import NOT_GIVEN
from fastrnn.symbolic import flatten, has_symbolic
from fastrnn.trainers.agreement import check_begin, refuse_batch_statistics
from fastrnn.trainers.arguments import check_epochs, positive_or_none, suggests_arguments
from fastrnn.trainers.data import Batch, Epochs, Feed, RaggedFeed
from fastrnn.trainers.data_adapter import DataAdapter
from fastrnn.trainers.evaluation import run_test
from fastrnn.trainers.interruption import DeferredSignals
from fastrnn.trainers.own_step import predicted
from fastrnn.trainers.own_steps import OwnSteps
from fastrnn.trainers.prediction import Prediction
from fastrnn.trainers.train_step import TrainStep
from fastrnn.trainers.training_data import TrainingData
from fastrnn.trainers.training_run import TrainingRun


class Trainer(OwnSteps):
    """The part of a model that Keras documents as "model training APIs".

    Attributes:
        history: What the last `fit` has recorded.
    """

    history: History
    _run: TrainingRun | None = None  # the `fit` that is going on

    @suggests_arguments
    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int | str = "auto",
        callbacks: Sequence[Callback] | None = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool | str = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Sequence[int] = 1,
    ) -> History:
        """Train.

        Ctrl-C, and SIGTERM where the program has a handler for it, end the training after the step
        that is being taken. The model can then be used and trained further; `history` holds the
        epochs that were completed.

        Args:
            x: Inputs: an array `[samples, ...]`; a list of sequences of differing lengths; or
                what yields batches (x, y) or (x, y, sample_weight): a generator, an iterable such
                as a `tf.data.Dataset`, or an object like a `keras.utils.PyDataset`.

                Sequences of differing lengths give what `pad_sequences` with a mask of the
                padding gives: each counts with its own steps alone, and padding is not computed.
                Each batch is padded to its longest sequence; with `shuffle`, sequences of like
                lengths meet in a batch. Where the model has an output for each step, y is a list
                of sequences as long as those of x.
            y: Labels, one for each sample or for each of its steps.
            batch_size: Samples per step; by default what `steps_per_epoch` makes it, else what the
                Input states, else 32. A stateful model needs batches of one size.
            epochs: Number of the last epoch; each is one pass over the samples, or
                `steps_per_epoch` steps.
            verbose: 0 for silence, 1 or "auto" for a progress bar (lines where the output is no
                terminal), 2 for a line per epoch.
            callbacks: Objects to notify.
            validation_split: Share of the samples, taken from the end before any shuffling, to
                test with after each epoch.
            validation_data: Tuple (x, y) or (x, y, sample_weight), or what yields batches, to
                test with after each epoch, in place of a split.
            shuffle: Whether to draw a new order of the samples for each epoch; "batch" for an
                order within each batch. Batches that come one by one are taken as they come,
                numbered ones in a new order.
            class_weight: Dict from class ids to factors of the loss; 1 for the others.
            sample_weight: Factors of the loss, one for each sample or for each of its steps.
            initial_epoch: Number of epochs that lie behind already.
            steps_per_epoch: Batches per epoch; the next epoch goes on where it ends.
            validation_steps: Batches per test; each begins at the first.
            validation_batch_size: Samples per step of the test; `batch_size` by default.
            validation_freq: Test after every so many epochs, or after the epochs of a list,
                counted from 1.

        Returns:
            The history: loss and metrics of each epoch, as means over its samples.

        Raises:
            TypeError: If x or y does not hold numbers.
            ValueError: If the model is not compiled, or an argument does not fit it or another.
                Model and optimizer then stay as they were, except that batches are only known
                when they come.

        Example:
            >>> from fastrnn import layers, models
            >>> model = models.Sequential([layers.Embedding(9, 2), layers.GRU(3), layers.Dense(1)])
            >>> model.compile("adam", "mse")
            >>> history = model.fit([[1, 2, 3], [4], [5, 6]], [0.5, 0.1, 0.3], verbose=0)
            >>> list(history.history)
            ['loss']
        """
        self._check_compiled("fit")
        check_epochs(epochs=epochs, initial_epoch=initial_epoch)
        data = TrainingData(
            x=x,
            y=y,
            sample_weight=sample_weight,
            class_weight=class_weight,
            shuffle=shuffle,
            batch_size=batch_size,
            steps_per_epoch=steps_per_epoch,
            validation_split=validation_split,
            validation_data=validation_data,
            validation_batch_size=validation_batch_size,
            validation_steps=validation_steps,
            validation_freq=validation_freq,
        )
        feed, test_feed = data.feeds(self)
        if test_feed is not None:
            self._refuse_own_evaluate()
            if (job := parallel.current()) is not None:
                test_feed.share = job.share
        self._check_batch_sizes(feed, test_feed)
        train_epochs = Epochs(feed, data.steps_per_epoch)
        callback_list, step = self._prepared(feed, train_epochs, callbacks, verbose, epochs, True)

        def validate(epoch: int) -> dict[str, Any]:
            if test_feed is None or not data.tests_after(epoch):
                return {}
            results = run_test(self, step, data.test_epoch(test_feed), callback_list)
            return {f"val_{name}": value for name, value in results.items()}

        numbers, feeds = range(initial_epoch, epochs), (feed, test_feed)
        if (job := parallel.current()) is not None:
            with job.work():
                check_begin(job, self, feeds, numbers)
        self._run = TrainingRun(self, step, train_epochs, feeds, callback_list, numbers)
        try:
            with _closed_on_error(callback_list):
                self._run.train(validate)
        finally:
            self._run = None
        return self.history

    @suggests_arguments
    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Sequence[Callback] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Return the loss and the metrics on samples, without training.

        Args:
            x: Inputs, as in `fit`.
            y: Labels, as in `fit`.
            batch_size: Samples per step, by default as in `fit`.
            verbose: As in `fit`.
            sample_weight: As in `fit`.
            steps: Number of batches; by default all.
            callbacks: Objects to notify.
            return_dict: Whether to return a dict by name.

        Returns:
            The loss if there are no metrics, else a list of the loss and them in the order of
            `metrics_names`; or a dict.

        Raises:
            TypeError: If x or y does not hold numbers.
            ValueError: If the model is not compiled, or the arguments do not fit it.

        Example:
            >>> import numpy as np
            >>> from fastrnn import layers, models
            >>> model = models.Sequential([layers.SimpleRNN(3), layers.Dense(1)])
            >>> model.compile("adam", "mse", metrics=["mae"])
            >>> x, y = np.ones((8, 5, 2)), np.zeros((8, 1))
            >>> sorted(model.evaluate(x, y, verbose=0, return_dict=True))
            ['loss', 'mae']
        """
        self._check_compiled("evaluate")
        batch_size = positive_or_none("batch_size", batch_size)
        steps = positive_or_none("steps", steps)
        feed = DataAdapter(self).feed(x, y, sample_weight, batch_size, steps)
        self._check_batch_sizes(feed)
        data = Epochs(feed, steps)
        callback_list, step = self._prepared(feed, data, callbacks, verbose)
        with _closed_on_error(callback_list):
            run_test(self, step, data, callback_list)
            return _returned(step, return_dict)

    @suggests_arguments
    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        steps: int | None = None,
        callbacks: Sequence[Callback] | None = None,
    ) -> Any:
        """Return the model's output for samples, computed in batches.

        Large batches are computed in parts, so that Ctrl-C acts within about a second.

        Args:
            x: Inputs, as in `fit`; what batches hold beside inputs is left aside.
            batch_size: Samples per step, by default as in `fit`.
            verbose: As in `fit`.
            steps: Number of batches; by default all.
            callbacks: Objects to notify.

        Returns:
            Float32 array, `[samples, ...]`. For sequences of differing lengths and a model with
            an output for each step, a list of arrays, each as long as its sequence.

        Raises:
            TypeError: If x does not hold numbers.
            ValueError: If an argument does not fit the model.

        Example:
            >>> import numpy as np
            >>> from fastrnn import layers, models
            >>> model = models.Sequential([layers.SimpleRNN(3), layers.Dense(1)])
            >>> model.predict(np.ones((8, 5, 2)), verbose=0).shape
            (8, 1)
        """
        batch_size = positive_or_none("batch_size", batch_size)
        steps = positive_or_none("steps", steps)
        feed = DataAdapter(self, labelled=False).feed(x, batch_size=batch_size, steps=steps)
        self._check_batch_sizes(feed)
        first = feed.peek()
        callback_list = self._callback_list(callbacks, verbose, 1, Epochs(feed, steps).steps)
        if self.has_own_predict_step:
            with _closed_on_error(callback_list):
                return predicted(self, feed, steps, callback_list)
        self._build_for(feed, first)
        with _closed_on_error(callback_list):
            return Prediction(self, feed, callback_list).run(steps)

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Mapping[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Take one step on one batch.

        Args:
            x: Inputs, an array `[samples, ...]` or a list of sequences of differing lengths.
            y: Labels, as in `fit`.
            sample_weight: As in `fit`.
            class_weight: As in `fit`.
            return_dict: Whether to return a dict by name.

        Returns:
            What `evaluate` returns, of this batch, from before the step.

        Raises:
            TypeError: If x or y does not hold numbers.
            ValueError: If the model is not compiled, or the arguments do not fit it.

        Example:
            >>> import numpy as np
            >>> from fastrnn import layers, models
            >>> model = models.Sequential([layers.SimpleRNN(3), layers.Dense(1)])
            >>> model.compile("adam", "mse", metrics=["mae"])
            >>> x, y = np.ones((8, 5, 2)), np.zeros((8, 1))
            >>> first = model.train_on_batch(x, y, return_dict=True)
            >>> model.train_on_batch(x, y, return_dict=True)["loss"] < first["loss"]
            True
        """
        self._check_compiled("train_on_batch")
        batch = DataAdapter(self, class_weight=class_weight).samples(x, y, sample_weight).batch()
        step = self.train_step_for(batch)
        if (job := parallel.current()) is not None:
            refuse_batch_statistics(job, self)
        step.reset()
        with DeferredSignals() as signals, _work():
            signals.hold()
            step.train(batch)
            signals.release()
            return _returned(step, return_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Test on one batch.

        Args:
            x: As in `train_on_batch`.
            y: Labels, as in `fit`.
            sample_weight: As in `fit`.
            return_dict: Whether to return a dict by name.

        Returns:
            What `evaluate` returns, of this batch.

        Raises:
            TypeError: If x or y does not hold numbers.
            ValueError: If the model is not compiled, or the arguments do not fit it.
        """
        self._check_compiled("test_on_batch")
        batch = DataAdapter(self).samples(x, y, sample_weight).batch()
        step = self.train_step_for(batch)
        step.reset()
        with _work():
            step.test(batch)
            return _returned(step, return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """Return the output for one batch.

        Args:
            x: Inputs, an array `[samples, ...]`, or a list of sequences of differing lengths.

        Returns:
            What `predict` does.

        Raises:
            TypeError: If x does not hold numbers.
            ValueError: If it does not fit the model.
        """
        if self.takes_sequences(x):
            feed = DataAdapter(self, labelled=False).feed(x, batch_size=len(x))
            self._build_for(feed, feed.peek())
            return Prediction(self, feed, CallbackList(model=self), shares=False).run(None)
        if self.has_own_predict_step:
            return self.predict(x, batch_size=len(flatten(x)[0]), verbose=0)
        return self._call_on_arrays(x)

    def __call__(self, inputs: Any = NOT_GIVEN, *args: Any, **kwargs: Any) -> Any:
        """Apply the model to arrays or to symbolic tensors, or predict for a list of sequences.

        Args:
            inputs: As a layer takes them, or a list of sequences of differing lengths.
            *args: `training` and `mask`.
            **kwargs: Likewise.

        Returns:
            What a layer returns; for a list of sequences what `predict` does.

        Raises:
            ValueError: If more than `training=False` is given beside a list of sequences.
        """
        if inputs is NOT_GIVEN:
            return super().__call__(*args, **kwargs)
        if has_symbolic(inputs) or not self.takes_sequences(inputs):
            return super().__call__(inputs, *args, **kwargs)
        if any(args) or any(kwargs.values()):
            raise ValueError(
                "Sequences of differing lengths can be given to a call only with "
                "`training=False` and no `mask`: pad them, or train with `train_on_batch`. "
                f"Received: {args or kwargs}"
            )
        return self.predict_on_batch(inputs)

    # ---------------------------------------------------------------------------------- helpers

    def _check_compiled(self, method: str) -> None:
        if self._loss_and_metrics is None:
            raise ValueError(f"Call `compile` before `{method}`.")
        # What `call` adds may be all of the loss, and steps of a user's may have their own.
        if not self._loss_and_metrics.has_loss and not (self.has_own_steps or self.is_own_call):
            raise ValueError(f"`{method}` needs a `loss` in `compile`. Received: loss=None")

    def _refuse_own_evaluate(self) -> None:
        """Refuse to validate in `fit` where `evaluate` is overridden, as Keras would call it."""
        if type(self).evaluate is not Trainer.evaluate or "evaluate" in vars(self):
            raise ValueError(
                "`fit` does not call `evaluate` to validate, so that an overridden one would have "
                "no effect: leave the validation data out, and evaluate in a callback. Received: "
                f"model '{self.name}' of class {type(self).__name__}, which overrides it"
            )

    def _check_batch_sizes(self, *feeds: Feed | None) -> None:
        sizes = set[int]().union(*(feed.batch_sizes() for feed in feeds if feed is not None))
        if len(sizes) > 1 and self.stateful:
            raise ValueError(
                "A stateful model keeps a state for each row of a batch, so that all batches must "
                "have one size: give a number of samples that `batch_size` divides, for "
                f"validation too. Received: batches of the sizes {sorted(sizes)}"
            )

    def _prepared(
        self,
        feed: Feed,
        data: Epochs,
        callbacks: Sequence[Callback] | None,
        verbose: int | str,
        epochs: int = 1,
        add_history: bool = False,
    ) -> tuple[CallbackList, TrainStep]:
        """Check the first batch and the callbacks, then build the model and make its train step."""
        first = feed.peek()
        if (job := parallel.current()) is not None:
            feed.share = job.share
        callback_list = self._callback_list(callbacks, verbose, epochs, data.steps, add_history)
        self._build_for(feed, first)
        return callback_list, self.train_step_for(first)

    def _build_for(self, feed: Feed, batch: Batch) -> None:
        if not self.built and batch.forms is None:  # else the adapter has checked the shapes
            open_sizes = 2 if isinstance(feed, RaggedFeed) else 1
            self.build((*[None] * open_sizes, *batch.x[0].shape[open_sizes:]))

    def _callback_list(
        self,
        callbacks: Sequence[Callback] | None,
        verbose: int | str,
        epochs: int,
        steps: int | None,
        add_history: bool = False,
    ) -> CallbackList:
        if verbose not in ("auto", 0, 1, 2):
            raise ValueError(f"`verbose` must be 0, 1, 2 or 'auto'. Received: verbose={verbose!r}")
        return CallbackList(
            callbacks,
            add_history=add_history,
            add_progbar=verbose != 0,
            model=self,
            verbose=verbose,
            epochs=epochs,
            steps=steps,
        )


@contextmanager
def _closed_on_error(callback_list: CallbackList) -> Iterator[None]:
    """Close the progress bar if an exception ends the run, and tell the other ranks of a job."""
    try:
        yield
    except BaseException as error:
        callback_list.close()
        if (job := parallel.current()) is not None:
            job.ranks.failed(error)
        raise


@contextmanager
def _work() -> Iterator[None]:
    """Tell the other ranks of a job, if there is one, of an exception."""
    if (job := parallel.current()) is None:
        yield
        return
    with job.work():
        yield


def _returned(step: TrainStep, return_dict: bool) -> Any:
    """Return loss and metrics in the form that `evaluate` returns."""
    results = step.results()
    if return_dict:
        return dict(sorted(results.items()))
    values = list(results.values())
    return values if len(values) > 1 else values[0]
