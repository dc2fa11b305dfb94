"""Steps, losses and metrics that a user's model overrides; tapes and values with gradients."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import callbacks, layers, losses, metrics, models, ops

RNG = np.random.default_rng(6)
X = RNG.normal(size=(24, 5, 3)).astype(np.float32)
Y = RNG.normal(size=(24, 1)).astype(np.float32)
TOKENS = RNG.integers(1, 8, (24, 5))
TOKENS[3:12, 3:] = 0
PER_STEP = RNG.normal(size=(24, 5, 1)).astype(np.float32)
WEIGHTS = RNG.random(24).astype(np.float32)


def functional(base: type = models.Model, tokens: bool = False) -> Any:
    inputs = layers.Input((5,) if tokens else (5, 3))
    x = layers.Embedding(8, 3, mask_zero=True)(inputs) if tokens else inputs
    x = layers.LSTM(4, kernel_regularizer="l2", return_sequences=tokens)(x)
    return base(inputs, layers.Dense(1)(x))


def sequential(base: type = models.Sequential, tokens: bool = False) -> Any:
    del tokens
    return base([layers.Input((5, 3)), layers.LSTM(4, kernel_regularizer="l2"), layers.Dense(1)])


def own_call(base: type = models.Model, tokens: bool = False) -> Any:
    class Own(base):  # type: ignore[misc, valid-type]
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.table = layers.Embedding(8, 3, mask_zero=True) if tokens else None
            self.rnn = layers.LSTM(4, kernel_regularizer="l2", return_sequences=tokens)
            self.out = layers.Dense(1)

        def call(self, inputs: Any) -> Any:
            x = inputs if self.table is None else self.table(inputs)
            return self.out(self.rnn(x))

    model = Own()
    model(TOKENS if tokens else X)
    return model


KINDS = {"functional": functional, "sequential": sequential, "own_call": own_call}
EACH = pytest.mark.parametrize("kind", sorted(KINDS))


def with_gradients(self: Any, data: Any) -> dict[str, Any]:
    x, y, weight = (*data, None)[:3]
    y_pred: Any = None

    def loss() -> Any:
        nonlocal y_pred
        y_pred = self(x, training=True)
        return self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=weight)

    value, gradients = fastrnn.value_and_gradients(loss, self.trainable_weights)
    self.optimizer.apply(gradients, self.trainable_weights)
    for metric in self.metrics:
        if metric.name == "loss":
            metric.update_state(value, sample_weight=len(x))
        else:
            metric.update_state(y, y_pred)
    return {metric.name: metric.result() for metric in self.metrics}


def with_tape(self: Any, data: Any) -> dict[str, Any]:
    x, y, weight = (*data, None)[:3]
    with fastrnn.GradientTape() as tape:
        y_pred = self(x, training=True)
        loss = self.compute_loss(y=y, y_pred=y_pred, sample_weight=weight)
    gradients = tape.gradient(loss, self.trainable_variables)
    self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
    for metric in self.metrics:
        if metric.name == "loss":
            metric.update_state(loss, sample_weight=len(x))
    return dict(self.compute_metrics(x, y, y_pred, weight))


def with_losses_alone(self: Any, data: Any) -> dict[str, Any]:
    x, y, weight = (*data, None)[:3]
    mse = losses.MeanSquaredError()
    with fastrnn.GradientTape() as tape:
        y_pred = self(x, training=True)
        loss = mse(y, y_pred, weight) + sum(self.losses)
    gradients = tape.gradient(loss, self.trainable_variables)
    self.optimizer.apply(gradients, self.trainable_variables)
    self.metrics[0].update_state(loss, sample_weight=len(x))
    return dict(self.compute_metrics(x, y, y_pred, weight))


def through_super(self: Any, data: Any) -> dict[str, Any]:
    return dict(models.Model.train_step(self, data))


STEPS = {
    "gradients": with_gradients,
    "tape": with_tape,
    "losses": with_losses_alone,
    "super": through_super,
}


def fitted(model: Any, x: Any = X, y: Any = Y, **fit: Any) -> dict[str, Any]:
    model.compile("adam", "mse", metrics=["mae"])
    found: dict[str, Any] = model.fit(
        x, y, epochs=3, batch_size=7, shuffle=False, verbose=0, validation_split=0.25, **fit
    ).history
    return found | {"evaluated": model.evaluate(x, y, batch_size=7, verbose=0)}


def assert_same(own: Any, twin: Any, *data: Any, **fit: Any) -> None:
    own.set_weights(twin.get_weights())
    found, want = fitted(own, *data, **fit), fitted(twin, *data, **fit)
    assert list(found) == list(want)
    for name, values in want.items():
        np.testing.assert_allclose(found[name], values, rtol=2e-5)
    for one, other in zip(own.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@EACH
@pytest.mark.parametrize("step", sorted(STEPS))
def test_a_step_of_ones_own_trains_as_the_built_in_one(kind: str, step: str) -> None:
    base = models.Sequential if kind == "sequential" else models.Model
    own = KINDS[kind](type("Stepping", (base,), {"train_step": STEPS[step]}))
    assert_same(own, KINDS[kind]())


@pytest.mark.parametrize("kind", ["functional", "own_call"])
@pytest.mark.parametrize("step", ["tape", "super"])
def test_masks_and_sample_weights_count_in_a_step(kind: str, step: str) -> None:
    own = KINDS[kind](type("Stepping", (models.Model,), {"train_step": STEPS[step]}), tokens=True)
    assert_same(own, KINDS[kind](tokens=True), TOKENS, PER_STEP)
    own = KINDS[kind](type("Stepping", (models.Model,), {"train_step": STEPS[step]}), tokens=True)
    twin = KINDS[kind](tokens=True)
    assert_same(own, twin, TOKENS, PER_STEP, sample_weight=WEIGHTS)


@EACH
def test_a_loss_and_metrics_of_the_models_own(kind: str) -> None:
    class Own(models.Sequential if kind == "sequential" else models.Model):  # type: ignore[misc]
        def compute_loss(
            self,
            x: Any = None,
            y: Any = None,
            y_pred: Any = None,
            sample_weight: Any = None,
            training: bool = True,
        ) -> Any:
            return ops.mean(ops.square(y - y_pred)) + sum(self.losses)

        def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
            return super().compute_metrics(x, y, y_pred, sample_weight)

        def test_step(self, data: Any) -> Any:
            return super().test_step(data)

    assert_same(KINDS[kind](Own), KINDS[kind]())


def test_a_compute_loss_without_training_and_logs_of_all_kinds() -> None:
    heard: list[Any] = []

    class Own(models.Sequential):
        def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> Any:
            return 2.0 * super().compute_loss(x, y, y_pred, sample_weight)

        def train_step(self, data: Any) -> Any:
            logs = super().train_step(data)
            return {"inner": {"mae": logs["mae"]}, "loss": logs["loss"], "three": np.float32(3)}

    class Hearing(callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            heard.append(dict(logs))

    own, twin = sequential(Own), sequential()
    own.set_weights(twin.get_weights())
    for model in (own, twin):
        model.compile(fastrnn.optimizers.SGD(0.0), "mse", metrics=["mae"])
    found = own.fit(X, Y, verbose=0, callbacks=[Hearing()]).history
    want = twin.fit(X, Y, verbose=0).history
    assert set(found) == {"mae", "loss", "three"}
    assert heard == [{name: values[0] for name, values in found.items()}]
    assert found["loss"][0] == pytest.approx(2 * want["loss"][0], rel=1e-6)
    assert found["mae"][0] == pytest.approx(want["mae"][0], rel=1e-6)


def test_a_model_without_call_and_two_tapes_at_once() -> None:
    class Adversaries(models.Model):
        """Makes sequences, and tells them from those of the data."""

        def __init__(self) -> None:
            super().__init__()
            self.judge = models.Sequential([layers.Input((5, 3)), layers.GRU(3), layers.Dense(1)])
            self.maker = models.Sequential(
                [layers.Input((2,)), layers.RepeatVector(5), layers.GRU(3, return_sequences=True)]
            )
            self.judged, self.made = metrics.Mean(name="judged"), metrics.Mean(name="made")

        def compile(self, judge: Any, maker: Any) -> None:
            super().compile()
            self.judge_optimizer, self.maker_optimizer = judge, maker

        @property
        def metrics(self) -> list[Any]:
            return [self.judged, self.made]

        def train_step(self, real: Any) -> Any:
            noise = np.ones((len(real), 2), np.float32)
            with fastrnn.GradientTape() as one, fastrnn.GradientTape() as two:
                made = self.maker(noise, training=True)
                false, true = self.judge(made, training=True), self.judge(real, training=True)
                judged = ops.mean(ops.softplus(-true)) + ops.mean(ops.softplus(false))
                fooled = ops.mean(ops.softplus(-false))
            for tape, loss, model, optimizer in (
                (one, judged, self.judge, self.judge_optimizer),
                (two, fooled, self.maker, self.maker_optimizer),
            ):
                weights = model.trainable_weights
                optimizer.apply(tape.gradient(loss, weights), weights)
            self.judged.update_state(judged)
            self.made.update_state(fooled)
            return {metric.name: metric.result() for metric in self.metrics}

    model = Adversaries()
    assert len(model.trainable_weights) == 8
    model.compile(fastrnn.optimizers.SGD(0.5), fastrnn.optimizers.SGD(0.0))
    history = model.fit(X, epochs=4, batch_size=12, verbose=0).history
    assert list(history) == ["judged", "made"]
    assert history["judged"] == sorted(history["judged"], reverse=True)
    before = model.maker.get_weights()
    model.compile(fastrnn.optimizers.SGD(0.0), fastrnn.optimizers.SGD(0.5))
    judge = model.judge.get_weights()
    history = model.fit(X, epochs=4, batch_size=12, verbose=0).history
    assert history["made"] == sorted(history["made"], reverse=True)
    assert all((a != b).any() for a, b in zip(before, model.maker.get_weights(), strict=True))
    assert all((a == b).all() for a, b in zip(judge, model.judge.get_weights(), strict=True))


def test_a_prediction_of_the_models_own() -> None:
    class Own(models.Sequential):
        def predict_step(self, data: Any) -> Any:
            y = self(data, training=False)
            return {"value": y, "sign": y > 0}

    model = sequential(Own)
    found = model.predict(X, batch_size=7, verbose=0)
    np.testing.assert_allclose(found["value"], model(X), rtol=1e-6)
    assert found["sign"].dtype == bool
    assert found["sign"].shape == (24, 1)
    np.testing.assert_array_equal(model.predict_on_batch(X)["sign"], found["sign"])


def test_data_go_to_a_step_as_they_were_given() -> None:
    seen: list[Any] = []

    class Own(models.Sequential):
        def train_step(self, data: Any) -> Any:
            seen.append(data)
            return {"loss": 0.0}

    model = sequential(Own)
    model.compile("sgd")
    model.fit({"a": X, "b": (Y, TOKENS)}, {"c": Y}, batch_size=24, shuffle=False, verbose=0)
    x, y = seen[-1]
    np.testing.assert_array_equal(x["a"], X)
    np.testing.assert_array_equal(x["b"][1], TOKENS)
    assert x["b"][1].dtype == TOKENS.dtype
    np.testing.assert_array_equal(y["c"], Y)
    model.fit(X, verbose=0, batch_size=24, shuffle=False)
    np.testing.assert_array_equal(seen[-1], X)
    model.fit(X, Y, sample_weight=WEIGHTS, verbose=0)
    assert len(seen[-1]) == 3
    model.fit(iter([(X[:4], Y[:4])]), steps_per_epoch=1, verbose=0)
    assert len(seen[-1][0]) == 4
    model.fit(X, (Y > 0).astype(int), class_weight={0: 2.0, 1: 3.0}, verbose=0, batch_size=24)
    assert set(np.unique(seen[-1][2])) == {2.0, 3.0}
    with pytest.raises(ValueError, match="the same number of samples"):
        model.fit(X, Y[:3], verbose=0)
    with pytest.raises(TypeError, match="`train_step` must return a dict"):
        sequential_returning(3.0).fit(X, Y, verbose=0)


def sequential_returning(value: Any) -> Any:
    model = sequential(type("Own", (models.Sequential,), {"train_step": lambda self, data: value}))
    model.compile("sgd", "mse")
    return model


def test_a_run_with_steps_of_ones_own_resumes(tmp_path: Path) -> None:
    def trained(epochs: int, again: bool = False) -> Any:
        fastrnn.utils.set_random_seed(2)
        model = functional(type("Own", (models.Model,), {"train_step": with_tape}))
        model.compile("adam", "mse", metrics=["mae"])
        backup = callbacks.BackupAndRestore(tmp_path / "state", delete_checkpoint=False)
        if again:
            model.fit(X, Y, epochs=2, batch_size=8, verbose=0, callbacks=[backup])
        listed = [backup] if again else []
        model.fit(X, Y, epochs=epochs, batch_size=8, verbose=0, callbacks=listed)
        return model.get_weights()

    for one, other in zip(trained(4), trained(4, again=True), strict=True):
        np.testing.assert_array_equal(one, other)


# ----------------------------------------------------------------------------------------- tapes


def test_a_tape_gives_what_value_and_gradients_gives() -> None:
    model = functional()
    weights = model.trainable_weights

    def loss() -> Any:
        penalty = sum(ops.sum(ops.square(weight)) for weight in weights)
        return ops.mean(ops.square(model(X, training=True) - Y)) + 0.1 * penalty

    value, want = fastrnn.value_and_gradients(loss, weights)
    with fastrnn.GradientTape(persistent=True) as tape:
        result = loss()
    assert float(ops.convert_to_numpy(result)) == pytest.approx(value)
    for one, other in zip(tape.gradient(result, weights), want, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(tape.gradient(result, weights[0]), want[0])
    before = weights[1].value.copy()
    for place in [(0, 0), (2, 7)]:
        ends = []
        for by in (8e-3, -8e-3):
            weights[1].value[place] = before[place] + np.float32(by)
            ends.append(float(loss()))
        weights[1].value[place] = before[place]
        assert want[1][place] == pytest.approx((ends[0] - ends[1]) / 16e-3, rel=2e-2)


def test_what_a_tape_cannot_do_is_refused() -> None:
    model = functional()
    with pytest.raises(ValueError, match="recorded nothing"):
        fastrnn.GradientTape().gradient(np.float32(1), model.trainable_weights)
    with fastrnn.GradientTape() as tape:
        y = model(X)
        with pytest.raises(TypeError, match="must not depend on weights"):
            losses.Poisson()(y, y)
        with pytest.raises(ValueError, match="second derivatives"):
            tape.gradient(y, model.trainable_weights)
        with pytest.raises(TypeError, match="watches weights"):
            tape.watch(X)
    with pytest.raises(TypeError, match="must be a list of weights"):
        tape.gradient(y, [X])
    frozen = layers.Dense(1)
    frozen.build((None, 1))
    assert not tape.gradient(y, frozen.weights)[0].any()


def test_losses_of_single_samples_in_a_tape() -> None:
    model = functional(tokens=True)
    model.compile("sgd", "mse")
    each = losses.MeanSquaredError(reduction=None)
    with fastrnn.GradientTape() as tape:
        y = model(TOKENS, training=True)
        values = each(PER_STEP, y)
        loss = ops.sum(values * WEIGHTS[:, None]) / 120
    kept = (TOKENS != 0).astype(np.float32)
    want = np.mean((np.asarray(model(TOKENS)) - PER_STEP) ** 2, axis=-1) * kept
    assert float(ops.convert_to_numpy(loss)) == pytest.approx(
        float((want * WEIGHTS[:, None]).sum() / 120), rel=1e-5
    )

    def other() -> Any:
        squares = ops.mean(ops.square(model(TOKENS, training=True) - PER_STEP), axis=-1)
        return ops.sum(squares * (kept * WEIGHTS[:, None])) / 120

    weights = model.trainable_weights
    _, gradients = fastrnn.value_and_gradients(other, weights)
    for one, wanted in zip(tape.gradient(loss, weights), gradients, strict=True):
        np.testing.assert_allclose(one, wanted, rtol=1e-4, atol=1e-7)


@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")
def test_a_step_follows_keras_s_on_tensorflow(keras: ModuleType) -> None:
    tf = pytest.importorskip("tensorflow")

    def made(library: Any, tape_of: Any) -> Any:
        class Own(library.Model):  # type: ignore[misc]
            def __init__(self) -> None:
                super().__init__()
                self.rnn = library.layers.GRU(4, kernel_regularizer="l2")
                self.out = library.layers.Dense(1)
                self.tracked = library.metrics.Mean(name="tracked")

            def call(self, inputs: Any) -> Any:
                state = self.rnn(inputs)
                self.add_loss(0.1 * library.ops.mean(library.ops.square(state)))
                return self.out(state)

            def train_step(self, data: Any) -> Any:
                x, y = data
                with tape_of() as tape:
                    y_pred = self(x, training=True)
                    loss = self.compute_loss(y=y, y_pred=y_pred)
                weights = self.trainable_variables
                self.optimizer.apply_gradients(
                    zip(tape.gradient(loss, weights), weights, strict=True)
                )
                self.tracked.update_state(loss)
                for metric in self.metrics:
                    if metric.name not in ("loss", "tracked"):
                        metric.update_state(y, y_pred)
                return {metric.name: metric.result() for metric in self.metrics}

        model = Own()
        model(X)
        return model

    theirs, ours = made(keras, tf.GradientTape), made(fastrnn, fastrnn.GradientTape)
    theirs.set_weights(ours.get_weights())
    histories = []
    for model in (theirs, ours):
        model.compile("sgd", "mse", metrics=["mae"])
        histories.append(model.fit(X, Y, epochs=3, batch_size=8, shuffle=False, verbose=0).history)
        histories[-1]["evaluated"] = model.evaluate(X, Y, batch_size=8, verbose=0)
    assert set(histories[0]) == set(histories[1])
    for name, values in histories[0].items():
        np.testing.assert_allclose(histories[1][name], values, rtol=1e-4)
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_tokens_go_to_recurrent_layers_in_a_trace() -> None:
    table, rnn = layers.Embedding(50, 3), layers.Bidirectional(layers.LSTM(4))
    tokens = TOKENS[:2, :1] + 1  # few of the vocabulary, so that the rows are worth knowing
    rnn(table(tokens))
    weights = [*table.weights, *rnn.weights]

    def once() -> Any:
        return ops.sum(ops.square(rnn(table(tokens))))

    def as_vectors() -> Any:
        return ops.sum(ops.square(rnn(1.0 * table(tokens))))

    def twice() -> Any:
        vectors = table(tokens)
        return once() + ops.sum(ops.square(rnn(vectors))) + ops.sum(ops.square(vectors))

    value, gradients = fastrnn.value_and_gradients(once, weights)
    assert gradients[0].rows().tolist() == np.unique(tokens).tolist()
    want, by_vectors = fastrnn.value_and_gradients(as_vectors, weights)
    assert value == pytest.approx(want, rel=1e-6)
    for one, other in zip(gradients, by_vectors, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    _, gradients = fastrnn.value_and_gradients(twice, weights)
    vectors = np.zeros((50, 3), np.float32)
    np.add.at(vectors, tokens, 2 * np.asarray(table(tokens)))
    np.testing.assert_allclose(gradients[0], 2 * by_vectors[0] + vectors, rtol=1e-4, atol=1e-6)
    for one, other in zip(gradients[1:], by_vectors[1:], strict=True):
        np.testing.assert_allclose(one, 2 * other, rtol=1e-4, atol=1e-6)


def test_what_another_model_returns_is_a_constant() -> None:
    student, teacher = functional(), functional()
    target = teacher(X)  # an array that also has `numpy()`

    def loss() -> Any:
        return ops.mean(ops.square(student(X, training=True) * target - target))

    _, gradients = fastrnn.value_and_gradients(loss, student.trainable_weights)
    plain = np.array(target)
    _, want = fastrnn.value_and_gradients(
        lambda: ops.mean(ops.square(student(X, training=True) * plain - plain)),
        student.trainable_weights,
    )
    for one, other in zip(gradients, want, strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_a_step_of_ones_own_lacks_is_named() -> None:
    class Two(fastrnn.Model):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = layers.Dense(1), layers.Dense(1)

        def call(self, x: Any) -> Any:
            return [self.one(x), self.two(x)]

    x, y = np.ones((4, 3), np.float32), np.ones((4, 1), np.float32)
    model = Two()
    y_pred = model(x)
    with pytest.raises(ValueError, match="Call `compile` before a step"):
        model.compute_loss(x, [y, y], y_pred)
    model.compile("sgd", "mse")
    model.reset_metrics()  # before the first step there is nothing to reset
    with pytest.raises(ValueError, match=r"one array for each of the 2 outputs. Received: 1"):
        model.compute_loss(x, [y], y_pred)
    alone = Two()
    alone.compile("sgd")
    with pytest.raises(ValueError, match="There is no loss"):
        alone.compute_loss(x, [y, y], y_pred)


def test_a_model_names_shapes_that_are_not_its_inputs() -> None:
    model = fastrnn.Sequential([layers.Dense(2)])
    model.build()  # without a shape it waits for data
    assert not model.built
    inputs = layers.Input((3,))
    graph = fastrnn.Model(inputs, layers.Dense(2)(inputs))
    with pytest.raises(ValueError, match=r"has 1 inputs. Received: 2 shapes"):
        graph.compute_output_shape([(None, 3), (None, 3)])
