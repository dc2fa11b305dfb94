"""Variables that users make: as attributes they are weights of their layers and models."""

from __future__ import annotations

import copy
from pathlib import Path
from types import ModuleType
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import layers, ops

X = np.random.default_rng(3).normal(size=(12, 5)).astype(np.float32)
Y = X @ np.arange(10.0, dtype=np.float32).reshape(5, 2)


def made(library: Any) -> Any:
    """Return a model whose layer has variables: alone, in a list, frozen, and of a layer inside."""

    class Scaled(library.layers.Layer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.inner = library.layers.Dense(2)
            self.scale = library.Variable(np.float32([1.5, 0.5]), name="scale")
            self.shifts = [
                library.Variable(library.initializers.Ones(), shape=(2,), name=f"shift_{n}")
                for n in range(2)
            ]
            self.factor = library.Variable(2.0, trainable=False, name="factor")

        def build(self, input_shape: Any) -> None:
            self.inner.build(input_shape)
            self.tied = self.inner.kernel
            self.built = True

        def call(self, inputs: Any) -> Any:
            moved = self.inner(inputs) * self.scale + self.shifts[0] * self.factor
            return moved - self.shifts[1]

    model = library.Sequential([library.Input((5,)), Scaled()])
    rng = np.random.default_rng(7)
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    model.compile(library.optimizers.SGD(0.01), loss="mse")
    return model


def test_they_are_weights_in_the_order_in_which_they_came() -> None:
    layer = made(fastrnn).layers[-1]
    names = [w.name for w in layer.weights]
    assert names == ["scale", "shift_0", "shift_1", "kernel", "factor", "bias"]
    assert layer.scale.path.endswith("/scale")
    assert isinstance(layer.inner.kernel, fastrnn.Variable)
    assert [w.name for w in layer.non_trainable_weights] == ["factor"]


def test_training_moves_them(tmp_path: Path) -> None:
    model = made(fastrnn)
    before = model.get_weights()
    model.fit(X, Y, epochs=3, verbose=0)
    moved = [np.abs(a - b).max() > 1e-4 for a, b in zip(before, model.get_weights(), strict=True)]
    assert moved == [w.trainable for w in model.weights] == [True] * 4 + [False, True]
    twin = made(fastrnn)
    model.save_weights(tmp_path / "w.weights.h5")
    twin.load_weights(tmp_path / "w.weights.h5")
    np.testing.assert_array_equal(twin.predict(X, verbose=0), model.predict(X, verbose=0))


def test_they_train_as_in_keras(keras: ModuleType) -> None:
    ours, theirs = made(fastrnn), made(keras)
    assert [w.name for w in ours.weights] == [w.name for w in theirs.weights]
    theirs.set_weights(ours.get_weights())
    for model in (ours, theirs):
        model.fit(X, Y, epochs=3, batch_size=4, shuffle=False, verbose=0)
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4)


def test_in_a_model_of_ones_own_and_in_a_list_that_grows() -> None:
    class Own(fastrnn.Model):
        def __init__(self) -> None:
            super().__init__()
            self.powers: list[Any] = []
            self.powers.append(fastrnn.Variable(np.ones((5, 2)), name="first"))

        def call(self, inputs: Any) -> Any:
            return ops.matmul(inputs, self.powers[0])

    model = Own()
    model.compile("sgd", "mse")
    losses = model.fit(X, Y, epochs=4, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert [w.name for w in model.weights] == ["first"]
    assert [w.name for w in copy.deepcopy(model).weights] == ["first"]


@pytest.mark.parametrize("base", [layers.Layer, fastrnn.Model])
def test_attributes_may_be_set_before_the_constructor_above(base: Any) -> None:
    class Own(base):  # type: ignore[misc]
        def __init__(self) -> None:
            self.sizes = [1, 2]
            self.shift = fastrnn.Variable([1.0], name="shift")
            super().__init__()

        def call(self, inputs: Any) -> Any:
            return inputs + self.shift

    own = Own()
    assert own([[1.0]]).tolist() == [[2.0]]
    assert [w.name for w in own.weights] == ["shift"]


def test_a_variable_of_two_layers_is_a_weight_of_both() -> None:
    class Holder(layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs

    variable = fastrnn.Variable([1.0])
    first, second = Holder(), Holder()
    first.kept = second.kept = variable
    assert first.weights == second.weights == [variable]
    assert fastrnn.Sequential([layers.Input((1,)), first, second]).weights == [variable]


def test_states_of_a_users_lstm_are_no_weights() -> None:
    class Own(layers.LSTM):
        pass

    layer = Own(3, stateful=True)
    layer(np.ones((2, 4, 5), np.float32))
    assert [w.name for w in layer.weights] == ["kernel", "recurrent_kernel", "bias"]


def test_names_count() -> None:
    fastrnn.backend.clear_session()
    assert [fastrnn.Variable(1.0).name for _ in range(2)] == ["variable", "variable_1"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"initializer": 1, "dtype": "int32"}, "`dtype` must be 'float32'"),
        ({"initializer": np.ones}, "`shape` must be given"),
        ({"initializer": np.ones(3), "shape": (2,)}, r"of shape \(2,\)"),
        ({"initializer": "zeros", "shape": (2,)}, r"initializers\.get"),
        ({"initializer": 1.0, "layout": "rows"}, "`layout` must be None"),
    ],
)
def test_what_does_not_fit_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fastrnn.Variable(**arguments)
