"""Metrics, optimizers, regularizers and functions in the forms in which scripts write them."""

from __future__ import annotations

from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import backend, layers, metrics, ops, optimizers, regularizers

RNG = np.random.default_rng(5)
X = RNG.normal(size=(8, 4, 2)).astype("float32")
Y = RNG.integers(0, 3, 8)


class PerClass(metrics.Metric):
    """Recall of each of three classes, averaged."""

    def __init__(self, name: str = "per_class", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.found = self.add_weight(name="found", shape=(3,), initializer="zeros")
        self.there = self.add_variable((3,), "zeros", name="there")
        self.batches = self.add_weight("batches", initializer="zeros")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        labels = ops.one_hot(ops.cast(ops.reshape(y_true, (-1,)), "int32"), 3)
        own = ops.one_hot(ops.argmax(y_pred, axis=-1), 3)
        self.found.assign_add(ops.sum(labels * own, axis=0))
        self.there.assign(self.there + ops.sum(labels, axis=0))
        self.batches.assign_add(1.0)

    def result(self) -> Any:
        return ops.mean(self.found / ops.maximum(self.there, 1))


def model(**options: Any) -> Any:
    made = fastrnn.Sequential(
        [layers.Input((4, 2)), layers.GRU(4), layers.Dense(3, activation="softmax", **options)]
    )
    rng = np.random.default_rng(1)
    made.set_weights([rng.normal(size=w.shape) for w in made.weights])
    return made


def test_a_metric_with_variables() -> None:
    made, metric = model(), PerClass()
    made.compile("sgd", "sparse_categorical_crossentropy", metrics=[metric])
    found = made.evaluate(X, Y, batch_size=3, verbose=0)[1]
    best = made.predict(X, verbose=0).argmax(-1)
    expected = sum((best[k == Y] == k).mean() for k in range(3) if (k == Y).any()) / 3
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert float(metric.batches) == 3.0
    assert [each.shape for each in metric.variables] == [(3,), (3,), ()]
    other = PerClass()
    other.set_state(metric.get_state())
    assert float(other.result()) == float(metric.result())
    metric.reset_state()
    assert not any(each.numpy().any() for each in metric.variables)


def test_a_metric_may_return_a_variable() -> None:
    class Count(metrics.Metric):
        def __init__(self) -> None:
            super().__init__(name="count")
            self.count = self.add_weight(name="count")

        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
            self.count.assign_add(len(y_pred))

        def result(self) -> Any:
            return self.count

    made = model()
    made.compile("sgd", "sparse_categorical_crossentropy", metrics=[Count()])
    history = made.fit(X, Y, batch_size=3, epochs=2, verbose=0).history
    assert history["count"] == [8.0, 8.0]


class Momentum(optimizers.Optimizer):
    """SGD with momentum in the form of Keras 3."""

    def __init__(self, learning_rate: float = 0.1, momentum: float = 0.9, **kwargs: Any) -> None:
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.momentum = momentum

    def build(self, variables: Any) -> None:
        if self.built:
            return
        super().build(variables)
        self.m = [self.add_variable_from_reference(each, name="momentum") for each in variables]

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        lr = ops.cast(learning_rate, variable.dtype)
        m = self.m[self._get_variable_index(variable)]
        self.assign(m, self.momentum * m - lr * gradient)
        self.assign_add(variable, m)


@pytest.mark.parametrize("decay", [None, 0.2])
def test_an_optimizer_in_keras_s_form_is_sgd(decay: float | None) -> None:
    trained = []
    for optimizer in (
        Momentum(0.1, 0.9, weight_decay=decay),
        optimizers.SGD(0.1, momentum=0.9, weight_decay=decay),
    ):
        made = model()
        made.compile(optimizer, "sparse_categorical_crossentropy")
        made.fit(X, Y, batch_size=4, epochs=3, shuffle=False, verbose=0)
        trained.append(made.get_weights())
    for one, other in zip(*trained, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    with pytest.raises(ValueError, match="must be 'zeros' or 'ones'"):
        Momentum().add_variable_from_reference(made.weights[0], initializer="normal")


class Cubes(regularizers.Regularizer):
    """A regularizer whose gradient comes from a trace."""

    def __call__(self, x: Any) -> Any:
        return 0.1 * ops.sum(ops.abs(x) ** 3)


@pytest.mark.parametrize("own", [Cubes(), lambda w: 0.1 * ops.sum(ops.abs(w) ** 3)])
def test_regularizers_without_a_gradient(own: Any) -> None:
    made = model(kernel_regularizer=own)
    plain = model()
    kernel = made.layers[-1].kernel
    for each in (made, plain):
        each.compile(optimizers.SGD(1.0), "sparse_categorical_crossentropy")
    before = kernel.numpy()
    loss = made.evaluate(X, Y, verbose=0)
    expected = plain.evaluate(X, Y, verbose=0) + 0.1 * (abs(before) ** 3).sum()
    np.testing.assert_allclose(loss, expected, rtol=1e-5)
    made.train_on_batch(X, Y)
    plain.train_on_batch(X, Y)
    np.testing.assert_allclose(
        plain.layers[-1].kernel.numpy() - kernel.numpy(), 0.3 * before * abs(before), atol=1e-5
    )


def test_a_function_as_regularizer_is_saved_by_its_name(tmp_path: Any) -> None:
    def cubes(x: Any) -> Any:
        return ops.sum(ops.abs(x) ** 3)

    made = model(kernel_regularizer=cubes)
    made.save(tmp_path / "model.keras")
    with pytest.raises(ValueError, match="cubes"):
        fastrnn.models.load_model(tmp_path / "model.keras")
    loaded = fastrnn.models.load_model(tmp_path / "model.keras", custom_objects={"cubes": cubes})
    assert loaded.layers[-1].kernel_regularizer.function is cubes


def test_the_dict_of_custom_objects() -> None:
    known = fastrnn.utils.get_custom_objects()
    known["doubled_for_a_test"] = lambda x: 2 * x
    try:
        layer = layers.Activation("doubled_for_a_test")
        np.testing.assert_array_equal(layer(np.float32([[3.0]])), [[6.0]])
        assert fastrnn.saving.get_custom_objects() is known
    finally:
        del known["doubled_for_a_test"]


def cases_of_backend() -> list[tuple[str, Any, Any]]:
    a = np.float32([[1.0, 5.0, 2.0], [7.0, 0.0, 3.0]])
    b = -a
    norm = np.sqrt((a**2).sum())
    return [
        ("argmax", (a,), [1, 0]),
        ("argmin", (a,), [0, 1]),
        ("concatenate", ([a, b],), np.concatenate([a, b], axis=-1)),
        ("cumsum", (a,), np.cumsum(a, axis=0)),
        ("expand_dims", (a,), a[..., None]),
        ("gather", (a, [1, 0, 1]), a[[1, 0, 1]]),
        ("l2_normalize", (a,), a / norm),
        ("relu", (b, 0.5), b * 0.5),
        ("relu", (a, 0.0, 4.0, 2.0), [[0, 4, 2], [4, 0, 3]]),
        ("repeat", (a, 2), np.repeat(a[:, None], 2, axis=1)),
        ("switch", (a > 2, lambda: a, lambda: b), np.where(a > 2, a, b)),
        ("cast_to_floatx", (np.int32([1, 2]),), [1.0, 2.0]),
    ]


@pytest.mark.parametrize(("name", "arguments", "expected"), cases_of_backend())
def test_defaults_of_keras_backend(name: str, arguments: Any, expected: Any) -> None:
    np.testing.assert_allclose(getattr(backend, name)(*arguments), expected, rtol=1e-6)


class Cross(layers.Layer):
    """Takes two tensors, each with a name."""

    def call(self, x: Any, context: Any) -> Any:
        return x - 2 * ops.mean(context, axis=1, keepdims=True)


def test_the_first_argument_may_have_a_name() -> None:
    expected = X - 2 * X[:, :2].mean(axis=1, keepdims=True)
    np.testing.assert_allclose(Cross()(x=X, context=X[:, :2]), expected, rtol=1e-5, atol=1e-6)
    inputs = layers.Input((4, 2))
    made = fastrnn.Model(inputs, Cross()(context=inputs[:, :2], x=inputs))
    np.testing.assert_allclose(made.predict(X, verbose=0), expected, rtol=1e-5, atol=1e-6)
    with pytest.raises(TypeError, match=r"must be called on `x`. Received: .*context"):
        Cross()(context=X)
    with pytest.raises(TypeError, match="must be called on `inputs`"):
        layers.Dense(2)(x=X)


def test_a_model_s_first_argument_may_have_a_name() -> None:
    class Both(fastrnn.Model):
        def __init__(self) -> None:
            super().__init__()
            self.cross = Cross()

        def call(self, x: Any, context: Any) -> Any:
            return self.cross(context=context, x=x)

    expected = X - 2 * X.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(Both()(context=X, x=X), expected, rtol=1e-5, atol=1e-6)


def test_a_simple_cell_is_called_on_arrays() -> None:
    cell = layers.SimpleRNNCell(3, activation=None)
    h = RNG.normal(size=(8, 3)).astype("float32")
    y, (new,) = cell(X[:, 0], [h])
    expected = X[:, 0] @ cell.kernel.numpy() + h @ cell.recurrent_kernel.numpy()
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(new, y)
    assert cell.is_native
