"""Layers that users write with `build` and `call`, and Lambda: traced, trained, saved."""

from __future__ import annotations

import pickle
from pathlib import Path
from types import ModuleType
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import backend as K  # noqa: N812  as scripts name it
from fastrnn import layers, models, ops

RNG = np.random.default_rng(8)
X = RNG.normal(size=(20, 6, 3)).astype(np.float32)
Y = RNG.normal(size=(20, 2)).astype(np.float32)


class Product(layers.Layer):
    """What Dense does with tanh."""

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight(
            name="kernel", shape=(input_shape[-1], self.units), initializer="glorot_uniform"
        )
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")
        super().build(input_shape)

    def call(self, inputs: Any) -> Any:
        return ops.tanh(inputs @ self.kernel + self.bias)


class Attention(layers.Layer):
    """The layer that scripts copy: scores of steps by a small network, then a weighted sum."""

    def build(self, input_shape: Any) -> None:
        self.W = self.add_weight(name="W", shape=(input_shape[-1], 4), initializer="normal")
        self.b = self.add_weight(name="b", shape=(input_shape[1], 1), initializer="zeros")
        self.u = self.add_weight(name="u", shape=(4, 1), initializer="normal")

    def call(self, x: Any) -> Any:
        scores = K.dot(K.tanh(K.dot(x, self.W)), self.u) + self.b
        return K.sum(x * K.softmax(scores, axis=1), axis=1)


class Encoder(layers.Layer):
    """Layers of fastrnn inside, as attribute and in a list."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rnn = layers.GRU(5, return_sequences=True)
        self.heads = [layers.Dense(4, activation="tanh"), layers.Dense(3)]
        self.drop = layers.Dropout(0.5, seed=3)

    def call(self, inputs: Any, training: bool = False) -> Any:
        x = self.drop(self.rnn(inputs), training=training)
        for head in self.heads:
            x = head(x)
        return x + inputs


def trained(model: Any, **fit: Any) -> Any:
    model.compile(loss="mse", optimizer="sgd")
    history = model.fit(X, Y, epochs=3, batch_size=5, shuffle=False, verbose=0, **fit)
    return model.get_weights(), history.history["loss"]


def assert_trains_alike(one: Any, other: Any) -> None:
    for a, b in zip(*(trained(each)[0] for each in (one, other)), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6)


def test_a_traced_layer_trains_as_the_built_in_one() -> None:
    own = fastrnn.Sequential([layers.LSTM(4), Product(3), layers.Dense(2)])
    built_in = fastrnn.Sequential(
        [layers.LSTM(4), layers.Dense(3, activation="tanh"), layers.Dense(2)]
    )
    for model in (own, built_in):
        model.build((None, 6, 3))
    built_in.set_weights(own.get_weights())
    np.testing.assert_allclose(
        own.predict(X, verbose=0), built_in.predict(X, verbose=0), rtol=1e-5, atol=1e-6
    )
    assert_trains_alike(own, built_in)


def functional(inside: Any) -> Any:
    inputs = layers.Input((6, 3))
    return models.Model(inputs, layers.Dense(2)(layers.LSTM(3)(inside(inputs))))


def test_layers_inside_run_their_own_passes() -> None:
    def built_in(inputs: Any) -> Any:
        x = layers.GRU(5, return_sequences=True)(inputs)
        x = layers.Dense(3)(layers.Dense(4, activation="tanh")(x))
        return layers.Add()([x, inputs])

    class NoDropout(Encoder):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.drop = layers.Dropout(0.0)

    one, other = functional(NoDropout()), functional(built_in)
    assert [w.shape for w in one.weights] == [w.shape for w in other.weights]
    other.set_weights(one.get_weights())
    assert_trains_alike(one, other)


def central_differences(layer: layers.Layer, x: np.ndarray) -> None:
    layer(x)
    y, cache = layer.run(x, False)
    d_y = RNG.normal(size=y.shape).astype(np.float32)
    d_x, d_weights = layer.backward(cache, d_y)
    places = [(x, d_x), *zip([w.value for w in layer.weights], d_weights, strict=True)]
    for array, gradient in places:
        assert gradient.shape == array.shape
        for place in list(np.ndindex(array.shape))[:: max(1, array.size // 7)]:
            kept, ends = array[place], []
            for step in (4e-3, -4e-3):
                array[place] = kept + np.float32(step)
                ends.append(float(np.sum(layer.infer(x, False) * d_y.astype(np.float64))))
            array[place] = kept
            assert gradient[place] == pytest.approx((ends[0] - ends[1]) / 8e-3, rel=3e-2, abs=8e-3)


@pytest.mark.parametrize("layer", [Product(3), Attention(), Encoder()], ids=["own", "K", "inside"])
def test_gradients_are_central_differences(layer: layers.Layer) -> None:
    central_differences(layer, X[:4].copy())


def test_training_reaches_dropout_inside() -> None:
    layer = Encoder()
    layer(X)
    off, on = layer.run(X, False)[0], layer.run(X, True)[0]
    np.testing.assert_array_equal(off, layer(X))
    assert not np.allclose(off, on)


def test_a_mask_and_several_inputs_and_outputs() -> None:
    class Parts(layers.Layer):
        supports_masking = True

        def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
            return [None, None]

        def call(self, inputs: Any, mask: Any = None) -> Any:
            first, second = inputs
            kept = ops.ones_like(first[..., 0]) if mask is None else mask[0]
            return [ops.sum(first * ops.expand_dims(kept, -1), axis=1), 2.0 * second]

    inputs = [layers.Input((6, 3)), layers.Input((2,))]
    masked = layers.Masking(0.0)(inputs[0])
    summed, doubled = Parts()([masked, inputs[1]])
    assert (summed.shape, doubled.shape) == ((None, 3), (None, 2))
    model = models.Model(inputs, layers.Dense(2)(layers.Concatenate()([summed, doubled])))
    model.compile(loss="mse", optimizer="sgd")
    x = X.copy()
    x[:, 4:] = 0
    model.fit([x, Y], Y, verbose=0)
    only = models.Model(inputs, [summed, doubled]).predict([x, Y], verbose=0)
    np.testing.assert_allclose(only[0], x[:, :4].sum(axis=1), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(only[1], 2 * Y)


def test_open_sizes_stay_open() -> None:
    class Means(layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs - ops.mean(inputs, axis=1, keepdims=True)

    assert Means()(layers.Input((None, 3))).shape == (None, None, 3)


def test_weights_that_gradients_do_not_change() -> None:
    class Scaled(layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.scale = self.add_weight(shape=(3,), initializer="ones", trainable=False)
            self.shift = self.add_weight(
                shape=(3,), initializer="zeros", regularizer="l2", constraint="non_neg"
            )

        def call(self, inputs: Any) -> Any:
            return inputs * self.scale + self.shift

    layer = Scaled()
    model = fastrnn.Sequential([layer, layers.GRU(2)])
    trained(model)
    assert layer.scale.numpy().tolist() == [1, 1, 1]
    assert layer.shift.numpy().any()
    assert (layer.shift.numpy() >= 0).all()
    assert len(layer.trainable_weights) == len(layer.non_trainable_weights) == 1


@pytest.mark.parametrize("end", ["keras", "h5", "weights.h5"])
@pytest.mark.parametrize("kind", ["Product", "Attention", "Encoder"])
def test_files(end: str, kind: str, tmp_path: Path) -> None:
    known = {"Product": Product, "Attention": Attention, "Encoder": Encoder}

    def make() -> Any:
        own = Product(3) if kind == "Product" else known[kind]()
        middle = [] if kind == "Attention" else [layers.LSTM(3)]
        return fastrnn.Sequential([layers.Input((6, 3)), own, *middle, layers.Dense(2)])

    model = make()
    trained(model)
    path = tmp_path / f"model.{end}"
    if end == "weights.h5":
        model.save_weights(path)
        again = make()
        again.load_weights(path)
    else:
        model.save(path)
        again = models.load_model(path, custom_objects=known)
        with pytest.raises(ValueError, match=kind):
            models.load_model(path)
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    for copy in (models.clone_model(model), pickle.loads(pickle.dumps(model))):
        copy.set_weights(model.get_weights())
        np.testing.assert_array_equal(copy.predict(X, verbose=0), model.predict(X, verbose=0))


def test_weights_outside_of_attributes_train() -> None:
    class Hidden(layers.Layer):
        def build(self, input_shape: Any) -> None:
            kernel = self.add_weight(shape=(3, 2))
            self.product = lambda x: x @ kernel

        def call(self, inputs: Any) -> Any:
            return self.product(inputs)

    central_differences(Hidden(), X[:4].copy())


def test_what_a_trace_cannot_see_is_an_error() -> None:
    beside = Product(2)
    beside.build((None, 6, 3))

    class Borrowing(layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs @ beside.kernel

    model = fastrnn.Sequential([Borrowing(), layers.GRU(2)])
    with pytest.raises(TypeError, match=r"Layer 'borrowing.*' cannot be differentiated"):
        trained(model)


def test_a_layer_without_call_says_what_it_needs() -> None:
    class Empty(layers.Layer):
        pass

    with pytest.raises(NotImplementedError, match="must implement `call`, or `forward`"):
        Empty()(X)


# ------------------------------------------------------------------------------------- Lambda


def last(x: Any) -> Any:
    return x[:, -1] * 2.0


def test_a_lambda_trains() -> None:
    model = fastrnn.Sequential(
        [layers.GRU(4, return_sequences=True), layers.Lambda(last), layers.Dense(2)]
    )
    model.build((None, 6, 3))
    twin = fastrnn.Sequential([layers.GRU(4), layers.Lambda(lambda x: x + x), layers.Dense(2)])
    twin.build((None, 6, 3))
    twin.set_weights(model.get_weights())
    assert_trains_alike(model, twin)


def test_a_lambda_s_arguments_and_shapes() -> None:
    scaled = layers.Lambda(lambda x, factor: x * factor, arguments={"factor": 3.0})
    np.testing.assert_allclose(scaled(Y), 3 * Y, rtol=1e-6)
    x = layers.Input((6, 3))
    assert layers.Lambda(last)(x).shape == (None, 3)
    assert layers.Lambda(last, output_shape=(3,))(x).shape == (None, 3)
    assert layers.Lambda(last, output_shape=lambda shape: (shape[0], 3))(x).shape == (None, 3)
    both = layers.Lambda(lambda pair: pair[0] - pair[1])([x, x])
    assert both.shape == (None, 6, 3)
    seen = layers.Lambda(lambda x, training=False: x * (2.0 if training else 1.0))
    assert seen(Y, training=True)[0, 0] == pytest.approx(2 * Y[0, 0])


@pytest.mark.parametrize("end", ["keras", "h5"])
def test_the_function_of_a_lambda_must_be_handed_over(end: str, tmp_path: Path) -> None:
    model = fastrnn.Sequential(
        [
            layers.Input((6, 3)),
            layers.GRU(4, return_sequences=True),
            layers.Lambda(last),
            layers.Lambda(lambda x: x + 1.0, name="plus"),
        ]
    )
    path = tmp_path / f"model.{end}"
    model.save(path)
    again = models.load_model(path, custom_objects={"last": last, "plus": lambda x: x + 1.0})
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    with pytest.raises(ValueError, match=r"must be handed over: .*Received: last"):
        models.load_model(path)
    copy = models.clone_model(model)
    copy.set_weights(model.get_weights())
    np.testing.assert_array_equal(copy.predict(X, verbose=0), model.predict(X, verbose=0))


def test_code_in_a_file_of_keras_is_never_run() -> None:
    config = {
        "name": "code",
        "function": {"class_name": "__lambda__", "config": {"code": "4wEAAAA=", "defaults": None}},
    }
    with pytest.raises(ValueError, match="its code, which is never run"):
        layers.Lambda.from_config(config)


# ------------------------------------------------------------------------------- beside Keras


def test_the_same_class_trains_alike_in_keras(keras: ModuleType) -> None:
    def made(library: Any) -> Any:
        ops_ = library.ops

        class Bahdanau(library.layers.Layer):  # type: ignore[misc, name-defined]
            def build(self, input_shape: Any) -> None:
                self.W = self.add_weight(name="W", shape=(input_shape[-1], 4))
                self.u = self.add_weight(name="u", shape=(4, 1))
                super().build(input_shape)

            def call(self, x: Any) -> Any:
                scores = ops_.matmul(ops_.tanh(ops_.matmul(x, self.W)), self.u)
                return ops_.sum(x * ops_.softmax(scores, axis=1), axis=1)

        return library.Sequential(
            [
                library.layers.Input((6, 3)),
                library.layers.LSTM(5, return_sequences=True),
                Bahdanau(),
                library.layers.Dense(2),
            ]
        )

    theirs, ours = made(keras), made(fastrnn)
    ours.set_weights(theirs.get_weights())
    losses = []
    for model in (theirs, ours):
        model.compile(loss="mse", optimizer="adam")
        history = model.fit(X, Y, epochs=4, batch_size=5, shuffle=False, verbose=0)
        losses.append(history.history["loss"])
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-4)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=2e-5)


class Doubled(layers.Layer):
    """Says its shape itself."""

    def call(self, x: Any) -> Any:
        return fastrnn.ops.concatenate([x, 2 * x], axis=-1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], 2 * input_shape[-1])


def test_a_layer_that_says_its_shape_is_asked_for_it() -> None:
    inputs = layers.Input((4, 3))
    model = models.Model(inputs, layers.Dense(2)(Doubled()(inputs)))
    assert model.layers[1].output.shape == (None, 4, 6)
    assert model(np.ones((5, 4, 3))).shape == (5, 4, 2)


def test_no_rows_give_no_rows() -> None:
    assert Doubled()(np.zeros((0, 3), np.float32)).shape == (0, 6)


def test_layers_inside_are_called_on_arrays() -> None:
    class Wrong(layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.inside = layers.Dense(2)

        def call(self, x: Any) -> Any:
            return x + self.inside("text")

    with pytest.raises(TypeError, match="must be called on arrays, also inside of a `call`"):
        Wrong()(np.ones((2, 3), np.float32))
