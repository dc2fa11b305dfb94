"""What layers in the `call` of a user's layer learn: masks, training, several tensors, losses."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import layers, models, ops

RNG = np.random.default_rng(11)
TOKENS = RNG.integers(1, 9, (12, 6))
TOKENS[3:7, 4:] = 0
TOKENS[8, 1:] = 0
X = RNG.normal(size=(12, 6, 3)).astype(np.float32)
Y = RNG.normal(size=(12, 2)).astype(np.float32)


def fitted(model: Any, x: Any, y: Any = Y, **settings: Any) -> list[float]:
    model.compile(**{"loss": "mse", "optimizer": "sgd"} | settings)
    history = model.fit(x, y, epochs=3, batch_size=5, shuffle=False, verbose=0)
    return [*history.history["loss"], model.evaluate(x, y, verbose=0)]


def assert_twins(own: Any, twin: Any, x: Any, **settings: Any) -> None:
    """Both have the same weights and must train alike."""
    assert [w.shape for w in own.weights] == [w.shape for w in twin.weights]
    twin.set_weights(own.get_weights())
    np.testing.assert_allclose(own.predict(x, verbose=0), twin.predict(x, verbose=0), 1e-5, 1e-6)
    np.testing.assert_allclose(fitted(own, x, **settings), fitted(twin, x, **settings), 1e-5)
    for one, other in zip(own.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=1e-6)


def encoder_class(library: Any) -> type:
    class Encoder(library.layers.Layer):  # type: ignore[misc]
        """An Embedding that masks, and layers that use its mask."""

        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.table = library.layers.Embedding(9, 4, mask_zero=True)
            self.first = library.layers.LSTM(5, return_sequences=True)
            self.both = library.layers.Bidirectional(library.layers.GRU(3, return_sequences=True))

        def build(self, input_shape: Any) -> None:
            self.built = True

        def call(self, tokens: Any) -> Any:
            return self.both(self.first(self.table(tokens)))

    return Encoder


def masked_twin(library: Any) -> Any:
    inputs = library.layers.Input((6,), dtype="int32")
    x = library.layers.Embedding(9, 4, mask_zero=True)(inputs)
    x = library.layers.LSTM(5, return_sequences=True)(x)
    x = library.layers.Bidirectional(library.layers.GRU(3, return_sequences=True))(x)
    return library.Model(inputs, library.layers.Dense(2)(library.layers.LSTM(4)(x)))


def with_encoder(library: Any) -> Any:
    inputs = library.layers.Input((6,), dtype="int32")
    x = encoder_class(library)()(inputs)
    return library.Model(inputs, library.layers.Dense(2)(library.layers.LSTM(4)(x)))


def test_a_mask_goes_from_layer_to_layer_inside_a_call_and_out_of_it() -> None:
    assert_twins(with_encoder(fastrnn), masked_twin(fastrnn), TOKENS)


def test_a_mask_reaches_the_layers_inside_by_itself() -> None:
    class Inside(layers.Layer):
        def compute_mask(self, inputs: Any, mask: Any = None) -> None:
            """End the mask here, without a warning."""

        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.rnn = layers.GRU(4)

        def call(self, inputs: Any) -> Any:
            return self.rnn(inputs)

    def model(last: Any) -> Any:
        inputs = layers.Input((6, 3))
        return fastrnn.Model(inputs, layers.Dense(2)(last(layers.Masking()(inputs))))

    x = X.copy()
    x[2:8, 3:] = 0
    assert_twins(model(Inside()), model(layers.GRU(4)), x)


@pytest.mark.filterwarnings("ignore:Layer '(ends|reshape):UserWarning")
@pytest.mark.parametrize("supports", [False, True])
def test_a_mask_ends_at_a_layer_that_does_not_support_it(supports: bool) -> None:
    class Ends(layers.Layer):
        supports_masking = supports

        def call(self, inputs: Any) -> Any:
            return inputs + 0.0

    def model(between: Any) -> Any:
        inputs = layers.Input((6, 3))
        x = between(layers.Masking()(inputs))
        return fastrnn.Model(inputs, layers.Dense(2)(layers.GRU(4)(x)))

    x = X.copy()
    x[2:8, 3:] = 0
    own, twin = model(Ends()), model(layers.Masking() if supports else layers.Reshape((6, 3)))
    twin.set_weights(own.get_weights())
    np.testing.assert_allclose(own.predict(x, verbose=0), twin.predict(x, verbose=0), rtol=1e-5)


def between_class(library: Any, ops_of: Any) -> type:
    class Between(library.layers.Layer):  # type: ignore[misc]
        """Attention of one sequence to another, given as two arguments."""

        def __init__(self, units: int = 4, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units = units

        def build(self, query_shape: Any, value_shape: Any) -> None:
            self.left = self.add_weight(name="left", shape=(query_shape[-1], self.units))
            self.right = self.add_weight(name="right", shape=(value_shape[-1], self.units))

        def call(self, query: Any, value: Any, scale: float = 1.0, value_mask: Any = None) -> Any:
            scores = ops_of.matmul(
                ops_of.matmul(query, self.left),
                ops_of.transpose(ops_of.matmul(value, self.right), (0, 2, 1)),
            )
            if value_mask is not None:
                far = 1e9 * (1.0 - ops_of.cast(value_mask, "float32"))
                scores = scores - ops_of.expand_dims(far, 1)
            return ops_of.matmul(ops_of.softmax(scale * scores, axis=-1), value)

        def compute_output_shape(self, query_shape: Any, value_shape: Any) -> Any:
            return (*query_shape[:-1], value_shape[-1])

        def get_config(self) -> dict[str, Any]:
            return super().get_config() | {"units": self.units}

    return Between


def model_between(library: Any, ops_of: Any, by_name: bool) -> Any:
    tokens = library.layers.Input((6,), dtype="int32", name="tokens")
    other = library.layers.Input((4, 3), name="other")
    value = library.layers.Embedding(9, 4, mask_zero=True)(tokens)
    between = between_class(library, ops_of)(name="between")
    seen = between(other, value=value, scale=0.5) if by_name else between(other, value, scale=0.5)
    return library.Model([tokens, other], library.layers.Dense(2)(library.layers.GRU(3)(seen)))


@pytest.mark.parametrize("by_name", [False, True])
def test_several_tensors_in_one_call(by_name: bool, tmp_path: Path) -> None:
    model = model_between(fastrnn, ops, by_name)
    data = [TOKENS, X[:, :4]]
    layer = model.get_layer("between")
    assert [tuple(w.shape) for w in layer.weights] == [(3, 4), (4, 4)]
    before = layer.get_weights()
    losses = fitted(model, data)
    assert losses[-1] < losses[0]
    assert all((a != b).any() for a, b in zip(before, layer.get_weights(), strict=True))
    model.save(tmp_path / "model.keras")
    known = {"Between": between_class(fastrnn, ops)}
    again = models.load_model(tmp_path / "model.keras", known)
    np.testing.assert_array_equal(again.predict(data, verbose=0), model.predict(data, verbose=0))


def test_gradients_of_several_tensors_are_central_differences() -> None:
    layer = between_class(fastrnn, ops)()
    query, value = X[:2, :4].copy(), X[2:4, :5].copy()
    layer(query, value=value)
    arrays = [query, value, *[w.value for w in layer.weights]]
    model_in = [layers.Input((4, 3)), layers.Input((5, 3))]
    model = fastrnn.Model(model_in, layer(model_in[0], value=model_in[1]))
    y, cache = model.forward([query, value])
    d_y = RNG.normal(size=y.shape).astype(np.float32)
    d_x, d_weights = model.backward(cache, d_y)
    for array, gradient in zip(arrays, [*d_x, *d_weights], strict=True):
        for place in list(np.ndindex(array.shape))[:: max(1, array.size // 6)]:
            kept, ends = array[place], []
            for step in (4e-3, -4e-3):
                array[place] = kept + np.float32(step)
                ends.append(float(np.sum(layer(query, value) * d_y.astype(np.float64))))
            array[place] = kept
            assert gradient[place] == pytest.approx((ends[0] - ends[1]) / 8e-3, rel=3e-2, abs=8e-3)


def regularizing_class(library: Any, ops_of: Any) -> type:
    class Regularizing(library.layers.Layer):  # type: ignore[misc]
        """Adds to the loss in `call`."""

        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.inner = library.layers.Dense(3, activity_regularizer="l1")

        def build(self, input_shape: Any) -> None:
            self.built = True

        def call(self, inputs: Any) -> Any:
            y = self.inner(inputs)
            self.add_loss(0.1 * ops_of.mean(ops_of.square(y)))
            self.add_loss(0.01 * ops_of.sum(ops_of.abs(inputs)))
            return y

    return Regularizing


def model_regularizing(library: Any, ops_of: Any) -> Any:
    inputs = library.layers.Input((6, 3))
    x = library.layers.GRU(4, return_sequences=True)(inputs)
    x = regularizing_class(library, ops_of)()(x)
    return library.Model(inputs, library.layers.Dense(2)(library.layers.GRU(3)(x)))


def test_what_a_layer_adds_to_the_loss_is_trained() -> None:
    fastrnn.utils.set_random_seed(5)
    model = model_regularizing(fastrnn, ops)
    model.compile(loss="mse", optimizer=fastrnn.optimizers.SGD(0.0))
    loss = model.evaluate(X, Y, batch_size=12, verbose=0)
    inner = fastrnn.Model(model.input, model.layers[1].output)(X)
    y = inner @ model.weights[3].value + model.weights[4].value
    added = 0.1 * np.mean(y**2) + 0.01 * np.abs(inner).sum() + 0.01 * np.abs(y).sum() / 12
    mse = np.mean((model.predict(X, verbose=0) - Y) ** 2)
    assert loss == pytest.approx(mse + added, rel=1e-5)
    assert model.train_on_batch(X, Y) == pytest.approx(loss, rel=1e-5)

    def total() -> float:
        return float(model.test_on_batch(X, Y))

    step = fastrnn.optimizers.SGD(1.0)
    model.compile(loss="mse", optimizer=step)
    before = model.get_weights()
    model.train_on_batch(X, Y)
    gradients = [a - b for a, b in zip(before, model.get_weights(), strict=True)]
    model.set_weights(before)
    for weight, gradient in zip(model.weights, gradients, strict=True):
        array = weight.value
        for place in list(np.ndindex(array.shape))[:: max(1, array.size // 4)]:
            kept, ends = array[place], []
            for by in (4e-3, -4e-3):
                array[place] = kept + np.float32(by)
                ends.append(total())
            array[place] = kept
            assert gradient[place] == pytest.approx((ends[0] - ends[1]) / 8e-3, rel=5e-2, abs=8e-3)


def test_add_loss_outside_of_a_call_is_refused() -> None:
    with pytest.raises(ValueError, match="must be called within `call`"):
        layers.Dense(2).add_loss(1.0)


def test_training_goes_on_to_layers_that_are_told_nothing() -> None:
    class Noisy(layers.Layer):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.drop = layers.Dropout(0.5, seed=2)

        def call(self, inputs: Any) -> Any:
            return self.drop(inputs)

    layer = Noisy()
    for run in (layer.infer, lambda *args: layer.run(*args)[0]):
        assert not (run(X, False) == 0).any()
        assert (run(X, True) == 0).any()


def names(model: Any) -> list[str]:
    """Return the paths of the weights without the numbers of the layers."""
    return [re.sub(r"_\d+", "", weight.path) for weight in model.weights]


@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")
@pytest.mark.parametrize("kind", ["masked", "between", "regularizing"])
def test_the_same_classes_train_alike_in_keras(keras: ModuleType, kind: str) -> None:
    def made(library: Any, ops_of: Any) -> Any:
        if kind == "masked":
            return with_encoder(library)
        if kind == "between":
            return model_between(library, ops_of, by_name=True)
        return model_regularizing(library, ops_of)

    data = {"masked": TOKENS, "between": [TOKENS, X[:, :4]], "regularizing": X}[kind]
    theirs, ours = made(keras, keras.ops), made(fastrnn, ops)
    assert [w.shape for w in ours.weights] == [tuple(w.shape) for w in theirs.weights]
    ours.set_weights(theirs.get_weights())
    assert names(ours) == names(theirs)
    np.testing.assert_allclose(fitted(ours, data), fitted(theirs, data), rtol=2e-4)
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-3, atol=2e-5)
