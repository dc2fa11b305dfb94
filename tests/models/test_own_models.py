"""Models as classes: layers as attributes and a `call`."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import layers, models, ops
from support import own_models
from support.own_models import DATA, PER_STEP, TOKENS, X, Y, Z, spread

CLASSES = own_models.classes(fastrnn, ops)
for _name, _class in CLASSES.items():  # where a pickle finds them
    _class.__qualname__ = _name
    setattr(own_models, _name, _class)
EACH = pytest.mark.parametrize("kind", sorted(DATA))


def made(kind: str) -> Any:
    x, _ = DATA[kind]
    model = CLASSES[kind]()
    model(x)
    spread(model)
    return model


def fitted(model: Any, x: Any, y: Any, **settings: Any) -> dict[str, list[float]]:
    model.compile(**{"loss": "mse", "optimizer": "sgd"} | settings)
    history: dict[str, list[float]] = model.fit(
        x, y, epochs=3, batch_size=8, shuffle=False, verbose=0
    ).history
    return history | {"evaluated": model.evaluate(x, y, batch_size=8, verbose=0)}


def assert_twins(own: Any, twin: Any, x: Any, y: Any, **settings: Any) -> None:
    twin.set_weights(own.get_weights())
    np.testing.assert_allclose(own.predict(x, verbose=0), twin.predict(x, verbose=0), 1e-5, 1e-6)
    found, want = fitted(own, x, y, **settings), fitted(twin, x, y, **settings)
    assert found.keys() == want.keys()
    for name, values in want.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-5)
    for one, other in zip(own.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=1e-6)


def test_a_model_trains_as_the_functional_one_of_the_same_layers() -> None:
    inputs = layers.Input((6,))
    table = layers.Embedding(9, 3, mask_zero=True)
    blocks = [layers.LSTM(4, return_sequences=True), layers.Bidirectional(layers.GRU(3))]
    last, hidden = layers.Dense(1), layers.Dense(3, activation="tanh")
    twin = models.Model(inputs, last(hidden(blocks[1](blocks[0](table(inputs))))))
    own = made("Masked")
    own.compile("sgd", "mse", metrics=["mae"])
    twin.compile("sgd", "mse", metrics=["mae"])
    for layer, other in zip(
        (table, *blocks, hidden, last),
        (own.table, *own.blocks, own.heads["hidden"], own.heads["last"]),
        strict=True,
    ):
        layer.set_weights(other.get_weights())
    histories = [
        model.fit(TOKENS, Y, epochs=4, batch_size=8, shuffle=False, verbose=0).history
        for model in (own, twin)
    ]
    for name, values in histories[1].items():
        np.testing.assert_allclose(histories[0][name], values, rtol=1e-5)
    np.testing.assert_allclose(own.table.get_weights(), table.get_weights(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(own.predict(TOKENS), twin.predict(TOKENS), rtol=1e-4, atol=1e-6)


def test_inputs_and_outputs_in_dicts_and_what_is_added_to_the_loss() -> None:
    class Added(layers.Layer):
        def call(self, inputs: Any) -> Any:
            self.add_loss(0.1 * ops.mean(ops.square(inputs)))
            return inputs

    x, z = layers.Input((6, 3), name="x"), layers.Input((2,), name="z")
    rnn = layers.GRU(4, return_state=True, return_sequences=True)
    side, out = layers.Dense(4), layers.Dense(1)
    steps, last = rnn(x, initial_state=side(z))
    outputs = {"steps": out(steps), "last": out(Added()(last))}
    twin = models.Model({"x": x, "z": z}, outputs)
    own = made("Pair")
    for layer, other in ((rnn, own.rnn), (side, own.side), (out, own.out)):
        layer.set_weights(other.get_weights())
    histories = [fitted(model, *DATA["Pair"], metrics={"last": ["mae"]}) for model in (own, twin)]
    assert set(histories[0]) == {"loss", "steps_loss", "last_loss", "last_mae", "evaluated"}
    for name, values in histories[1].items():
        np.testing.assert_allclose(histories[0][name], values, rtol=1e-5)
    found, want = own.predict(DATA["Pair"][0]), twin.predict(DATA["Pair"][0])
    for name in ("steps", "last"):
        np.testing.assert_allclose(found[name], want[name], rtol=1e-4, atol=1e-6)


def test_lists_of_inputs_and_outputs() -> None:
    own = made("Listed")
    own.compile("sgd", ["mse", "mae"], loss_weights=[1.0, 0.5])
    history = own.fit(*DATA["Listed"], epochs=3, verbose=0).history
    assert list(history) == ["loss", "output_1_loss", "output_2_loss"]
    assert history["loss"][-1] < history["loss"][0]
    one, two = own.predict(DATA["Listed"][0], verbose=0)
    assert (one.shape, two.shape) == ((20, 1), (20, 2))


@EACH
def test_gradients_are_central_differences(kind: str) -> None:
    model = made(kind)
    x, y = DATA[kind]
    model.compile(fastrnn.optimizers.SGD(1.0), "mse")
    before = model.get_weights()
    frozen = [w for w in model.weights if not w.trainable]
    model.train_on_batch(x, y)
    gradients = [a - b for a, b in zip(before, model.get_weights(), strict=True)]
    model.set_weights(before)
    norm = getattr(model, "norm", None)

    def loss() -> float:
        if norm is None:
            return float(np.ravel(model.test_on_batch(x, y))[0])
        value = fastrnn.losses.MeanSquaredError()(y, model(x, training=True))
        return float(value) + sum(map(float, model.losses))

    for weight, gradient in zip(model.weights, gradients, strict=True):
        if weight in frozen:
            continue
        array = weight.value
        for place in list(np.ndindex(array.shape))[:: max(1, array.size // 3)]:
            kept, ends = array[place], []
            for by in (8e-3, -8e-3):
                array[place] = kept + np.float32(by)
                ends.append(loss())
            array[place] = kept
            assert gradient[place] == pytest.approx((ends[0] - ends[1]) / 16e-3, rel=5e-2, abs=4e-3)


@EACH
def test_the_ways_to_call_agree(kind: str) -> None:
    model = made(kind)
    x, y = DATA[kind]
    model.compile("sgd", "mse")
    want = flat(model.predict(x, verbose=0))
    assert all(each.dtype == np.float32 for each in want)
    for values in (model.predict(x, batch_size=3, verbose=0), model.predict_on_batch(x), model(x)):
        for one, other in zip(flat(values), want, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    total = np.ravel(model.evaluate(x, y, batch_size=20, verbose=0))[0]
    assert np.ravel(model.test_on_batch(x, y))[0] == pytest.approx(total, rel=1e-6)


def flat(values: Any) -> list[Any]:
    if isinstance(values, dict):
        return [values[name] for name in sorted(values)]
    return list(values) if isinstance(values, list) else [values]


@EACH
def test_files_bring_a_model_back(kind: str, tmp_path: Path) -> None:
    model = made(kind)
    x, y = DATA[kind]
    model.compile("adam", "mse")
    model.fit(x, y, epochs=2, verbose=0)
    model.save(tmp_path / "model.keras")
    model.save_weights(tmp_path / "own.weights.h5")
    again = models.load_model(tmp_path / "model.keras", custom_objects=CLASSES)
    other = CLASSES[kind]()
    other(x)
    other.load_weights(tmp_path / "own.weights.h5")
    want = flat(model.predict(x, verbose=0))
    for loaded in (again, other):
        for one, theirs in zip(flat(loaded.predict(x, verbose=0)), want, strict=True):
            np.testing.assert_array_equal(one, theirs)
    for each in (model, again):
        each.fit(x, y, epochs=2, shuffle=False, verbose=0)
    for one, theirs in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, theirs)


def test_configs_hold_the_arguments_of_the_constructor(tmp_path: Path) -> None:
    model = CLASSES["Masked"](units=5, name="mine")
    assert model.get_config()["units"] == 5
    again = CLASSES["Masked"].from_config(model.get_config())
    assert (again.units, again.name) == (5, "mine")

    class Plain(models.Model):
        def __init__(self, inner: Any) -> None:
            super().__init__()
            self.inner = inner

        def call(self, inputs: Any) -> Any:
            return inputs + self.inner(inputs)

    plain = Plain(models.Sequential([layers.GRU(4, return_sequences=True), layers.Dense(3)]))
    want = plain.predict(X, verbose=0)
    plain.save(tmp_path / "plain.keras")
    loaded = models.load_model(tmp_path / "plain.keras", custom_objects={"Plain": Plain})
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), want)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies(copied: Any) -> None:
    model = made("Nested")
    model.compile("sgd", "mse")
    model.fit(X, PER_STEP, verbose=0)
    again = copied(model)
    for each in (model, again):
        each.fit(X, PER_STEP, epochs=2, shuffle=False, verbose=0)
    for one, theirs in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, theirs)


def test_training_reaches_call() -> None:
    seen = []

    class Seeing(models.Model):
        def __init__(self) -> None:
            super().__init__()
            self.drop, self.out = layers.Dropout(0.5, seed=1), layers.Dense(1)

        def call(self, inputs: Any, training: bool = False) -> Any:
            seen.append(training)
            return self.out(self.drop(inputs))

    model = Seeing()
    model.compile("sgd", "mse")
    model.fit(Z, Y, verbose=0)
    assert seen[-1] is True
    model.evaluate(Z, Y, verbose=0)
    model.predict(Z, verbose=0)
    assert seen[-1] is False
    model(Z, training=True)
    assert seen[-1] is True
    on = [model(Z, training=True) for _ in range(2)]
    assert not np.allclose(*on)
    np.testing.assert_array_equal(model(Z), model(Z))


def test_a_stateful_layer_inside_carries_its_states() -> None:
    class Stateful(models.Model):
        def __init__(self) -> None:
            super().__init__()
            self.rnn, self.out = layers.GRU(3, stateful=True), layers.Dense(1)

        def call(self, inputs: Any) -> Any:
            return self.out(self.rnn(inputs))

    own = Stateful()
    twin = models.Sequential([layers.Input(batch_shape=(5, 6, 3)), layers.GRU(3, stateful=True)])
    twin.add(layers.Dense(1))
    own(X[:5])
    twin.set_weights(own.get_weights())
    own.reset_state()
    for model in (own, twin):
        model.compile("sgd", "mse")
        model.fit(X, Y, batch_size=5, epochs=2, shuffle=False, verbose=0)
    found, want = own.predict(X, batch_size=5), twin.predict(X, batch_size=5)
    np.testing.assert_allclose(found, want, rtol=1e-5)


def test_batches_are_what_the_user_said() -> None:
    sizes = []

    class Centered(models.Model):
        def call(self, inputs: Any) -> Any:
            sizes.append(len(inputs))
            return inputs - ops.mean(inputs, axis=0, keepdims=True)

    model = Centered()
    model.predict(Z, batch_size=8, verbose=0)
    assert sizes[-3:] == [8, 8, 4]


def test_lengths_may_change_from_batch_to_batch() -> None:
    model = made("Masked")
    model.compile("sgd", "mse")
    batches = [(TOKENS[:5], Y[:5]), (TOKENS[5:11, :4], Y[5:11]), (TOKENS[11:, 2:], Y[11:])]
    model.fit(iter(batches), steps_per_epoch=3, verbose=0)
    assert model.predict(TOKENS[:, :3], verbose=0).shape == (20, 1)


def test_a_model_as_a_layer_of_a_functional_one() -> None:
    inner = CLASSES["Inner"]()
    inputs = layers.Input((6, 3))
    own = models.Model(inputs, layers.Dense(1)(inner(inputs)))
    sequential = models.Sequential([CLASSES["Inner"](), layers.Dense(1)])
    sequential.build((None, 6, 3))
    spread(own)
    assert [w.shape for w in own.weights] == [w.shape for w in sequential.weights]
    assert_twins(own, sequential, X, PER_STEP)


def test_a_metric_of_the_model_is_reset_and_shown() -> None:
    class Tracking(models.Model):
        def __init__(self) -> None:
            super().__init__()
            self.rnn, self.out = layers.GRU(3), layers.Dense(1)
            self.size = fastrnn.metrics.Mean(name="size")

        def call(self, inputs: Any) -> Any:
            state = self.rnn(inputs)
            self.size.update_state(ops.mean(ops.abs(state)))
            return self.out(state)

    model = Tracking()
    model.compile("sgd", "mse", metrics=["mae"])
    history = model.fit(X, Y, epochs=2, batch_size=10, verbose=0).history
    assert list(history) == ["loss", "mae", "size"]
    assert history["size"][0] != history["size"][1]
    results = model.evaluate(X, Y, batch_size=20, verbose=0, return_dict=True)
    assert results["size"] == pytest.approx(float(np.abs(model.rnn(X)).mean()), rel=1e-5)
    assert [metric.name for metric in model.metrics] == ["loss", "mae", "size"]


def test_summary_and_weights_before_and_after_data(capsys: Any) -> None:
    model = CLASSES["Masked"]()
    assert model.weights == []
    assert not model.built
    with pytest.raises(ValueError, match="needs a model that is built"):
        model.save_weights("none.weights.h5")
    model.build((None, 6))
    assert model.built
    assert len(model.trainable_weights) == 14
    model.summary()
    assert "bidirectional" in capsys.readouterr().out
    assert model.count_params() == sum(w.value.size for w in model.weights)


def test_data_that_do_not_fit_are_refused_by_name() -> None:
    model = CLASSES["Listed"]()
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="same number of samples"):
        model.fit([X, Z[:3]], [Y, Z], verbose=0)
    model.compile("sgd", ["mse", "mae", "mse"])
    with pytest.raises(ValueError, match="`loss` must have one entry for each"):
        model.fit(*DATA["Listed"], verbose=0)


@pytest.mark.parametrize("made_of", ["graph", "row"])
def test_a_call_beside_inputs_and_outputs_is_refused(made_of: str) -> None:
    def call(self: Any, inputs: Any) -> Any:
        return inputs

    x = layers.Input((2,))
    row = made_of == "row"
    own = type("Own", (models.Sequential if row else models.Model,), {"call": call})
    arguments = [[layers.Dense(1)]] if row else [x, layers.Dense(1)(x)]
    with pytest.raises(ValueError, match="`call` of a model cannot be overridden"):
        own(*arguments)


def test_layers_count_from_when_they_were_put_in() -> None:
    model = made("Masked")
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds == ["Dense", "Dense", "Embedding", "LSTM", "Bidirectional"]
    assert model.layers[0] is model.heads["last"]
    assert model.weights[0].shape == (3, 1)
    model.blocks.append(layers.Dense(2))
    model.heads.update(first=layers.Dense(7))
    assert [type(layer).__name__ for layer in model.layers[5:]] == ["Dense", "Dense"]
    model.blocks.pop()
    model.table = layers.Embedding(9, 3)
    assert len(model.layers) == 6
    assert model.layers[-1] is model.table

    class Rows(models.Model):
        def __init__(self) -> None:
            super().__init__()
            self.odd, self.even = [], {}
            for units in range(1, 5):
                if units % 2:
                    self.odd.append(layers.Dense(units))
                else:
                    self.even[units] = layers.Dense(units)

        def call(self, inputs: Any) -> Any:
            return inputs

    assert [layer.units for layer in Rows().layers] == [1, 2, 3, 4]


def test_the_structure_of_data_may_change() -> None:
    class Doubled(models.Model):
        def call(self, inputs: Any) -> Any:
            first = inputs["x"] if isinstance(inputs, dict) else inputs
            return 2.0 * (sum(first) if isinstance(first, list) else first)

    model = Doubled()
    for data, want in ((Z, 2 * Z), ({"x": Z}, 2 * Z), ([Z, Z], 4 * Z), (X, 2 * X)):
        np.testing.assert_allclose(model.predict(data, verbose=0), want, rtol=1e-6)


def test_finding_out_shapes_leaves_metrics_alone() -> None:
    class Counting(models.Model):
        def __init__(self) -> None:
            super().__init__()
            self.rnn, self.rows = layers.GRU(1), fastrnn.metrics.Sum(name="rows")

        def call(self, inputs: Any) -> Any:
            self.rows.update_state(len(inputs))
            return self.rnn(inputs)

    model = Counting()
    model.compile("sgd", "mse")
    batches = [(X[:5], Y[:5]), (X[5:11, :4], Y[5:11]), (X[11:, 2:], Y[11:])]
    results = model.evaluate(iter(batches), steps=3, verbose=0, return_dict=True)
    assert results["rows"] == 20


def test_clones_and_files_that_cannot_hold_a_call(tmp_path: Path) -> None:
    model = made("Masked")
    clone = models.clone_model(model)
    assert type(clone) is type(model)
    clone(TOKENS)
    assert [w.shape for w in clone.weights] == [w.shape for w in model.weights]
    with pytest.raises(ValueError, match="`clone_function` needs a model of inputs and outputs"):
        models.clone_model(model, clone_function=lambda layer: layer)
    with pytest.raises(ValueError, match=r"must end in \.keras for a model with a `call`"):
        model.save(tmp_path / "model.h5")
    assert not (tmp_path / "model.h5").exists()
