"""Operators and functions of `ops` on symbolic tensors: shapes, types, gradients, copies, files."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import backend as K  # noqa: N812  as scripts name it
from fastrnn import layers, models, ops

pytest.importorskip("autograd")

RNG = np.random.default_rng(5)
X = RNG.normal(size=(4, 5, 3)).astype("float32")


# What is written on a symbolic tensor, and must be what it is on an array.
EXPRESSIONS: dict[str, Any] = {
    "add": lambda x: x + 1,
    "radd": lambda x: 1.5 + x,
    "subtract": lambda x: x - x[:, :1],
    "rsubtract": lambda x: 1 - x,
    "multiply": lambda x: x * np.float32([1, 2, 3]),
    "rmultiply": lambda x: np.arange(3, dtype="float32") * x,
    "divide": lambda x: x / 4,
    "rdivide": lambda x: 1 / (x + 9),
    "floor_divide": lambda x: x // 0.3,
    "mod": lambda x: x % 0.7,
    "power": lambda x: x**3,
    "rpower": lambda x: 2**x,
    "matmul": lambda x: x @ np.ones((3, 2), "float32"),
    "negative": lambda x: -x,
    "absolute": lambda x: abs(x),
    "comparisons": lambda x: (x > 0) & (x <= 1) | (x < -1) ^ (x >= 2),
    "not_equal": lambda x: x != 0,
    "invert": lambda x: ~(x > 0),
    "step": lambda x: x[:, 2],
    "last": lambda x: x[:, -1, :],
    "slices": lambda x: x[:, 1:4:2, ::-1],
    "ellipsis": lambda x: x[..., 0],
    "new axis": lambda x: x[:, None, :, np.newaxis],
    "list": lambda x: x[:, [3, 0, 0]],
    "mean": lambda x: ops.mean(x, axis=1),
    "sum": lambda x: ops.sum(x, axis=(1, 2), keepdims=True),
    "concatenate": lambda x: ops.concatenate([x, ops.ones_like(x)], axis=-1),
    "stack": lambda x: ops.stack([x, x * 2], axis=1),
    "split": lambda x: ops.split(x, [1], axis=-1)[1],
    "reshape": lambda x: ops.reshape(x, (-1, 15)),
    "transpose": lambda x: ops.transpose(x, (0, 2, 1)),
    "expand_dims": lambda x: ops.expand_dims(x, -1),
    "where": lambda x: ops.where(x > 0, x, -1.0),
    "softmax": lambda x: ops.softmax(x, axis=1),
    "relu": lambda x: ops.relu(x) + ops.nn.silu(x),
    "einsum": lambda x: ops.einsum("bif,bjf->bij", x, x),
    "argmax": lambda x: ops.argmax(x, axis=-1),
    "top_k": lambda x: ops.top_k(x, 2)[0],
    "one_hot": lambda x: ops.one_hot(ops.cast(abs(x), "int32"), 4),
    "cast": lambda x: ops.cast(x > 0, "float32") * 2,
    "clip": lambda x: ops.clip(x, -0.5, 0.5),
    "norm": lambda x: ops.norm(x, axis=-1),
    "pad": lambda x: ops.pad(x, ((0, 0), (1, 0), (0, 0))),
    "backend": lambda x: K.permute_dimensions(K.dot(x, K.ones((3, 2))), (0, 2, 1)),
    "method": lambda x: (x * 1).reshape((-1, 3, 5)),
}


def as_array(name: str) -> np.ndarray:
    return np.asarray(EXPRESSIONS[name](X))


@pytest.mark.parametrize("steps", [5, None])
@pytest.mark.parametrize("name", sorted(EXPRESSIONS))
def test_values_shapes_and_types(name: str, steps: int | None) -> None:
    x = layers.Input((steps, 3))
    if steps is None and name in ("reshape", "method"):
        pytest.skip("needs the number of steps")
    y = EXPRESSIONS[name](x)
    wanted = as_array(name)
    model = models.Model(x, y)
    for got in (model.predict(X, verbose=0), model.predict(X, batch_size=1, verbose=0), model(X)):
        assert got.dtype == wanted.dtype == y.dtype
        np.testing.assert_allclose(got, wanted, rtol=1e-6, atol=1e-6)
    assert len(y.shape) == wanted.ndim
    assert y.shape[0] is None
    for size, own in zip(y.shape[1:], wanted.shape[1:], strict=True):
        assert size == own or (size is None and steps is None)
    if steps == 5:
        assert None not in y.shape[1:]
    assert model.compute_output_shape((4, 5, 3)) == wanted.shape


@pytest.mark.parametrize(
    "name",
    sorted({*EXPRESSIONS} - {"mod", "floor_divide", "argmax", "comparisons", "clip", "one_hot"}),
)
def test_gradients_are_those_of_a_trace(name: str) -> None:
    """Of a layer below the operation, against differences."""
    x = layers.Input((5, 3))
    below = layers.Dense(3)
    y = EXPRESSIONS[name](below(x))
    if y.dtype != "float32":
        pytest.skip("has no gradient")
    model = models.Model(x, y)
    below.set_weights([RNG.normal(0, 1, (3, 3)), RNG.normal(0, 1, 3)])
    factor = RNG.normal(size=model(X).shape).astype("float32")
    _, cache = model.forward(X, False)
    _, d_weights = model.backward(cache, factor)
    kernel = below.kernel.value
    found = np.zeros_like(kernel) if d_weights[0] is None else d_weights[0]
    for place in np.ndindex(kernel.shape):
        kept, sides = kernel[place], []
        for step in (2e-3, -2e-3):
            kernel[place] = kept + np.float32(step)
            sides.append(float((np.asarray(model(X), float) * factor).sum()))
        kernel[place] = kept
        wanted = (sides[0] - sides[1]) / 4e-3
        assert found[place] == pytest.approx(wanted, rel=2e-2, abs=0.05 * max(1, abs(wanted)))


def small_model() -> Any:
    tokens, x = layers.Input((6,), dtype="int32", name="tokens"), layers.Input((None, 3), name="x")
    states = layers.GRU(4, return_sequences=True)(x)
    weights = ops.softmax(layers.Dense(1)(states), axis=1)
    context = ops.sum(states * weights, axis=1)
    counts = ops.mean(ops.one_hot(tokens, 4), axis=1) * np.float32(2) + np.arange(4, dtype="f")
    both = ops.concatenate([context, counts, states[:, -1, ::2]], axis=-1)
    return models.Model([tokens, x], [layers.Dense(2)(both), ops.argmax(both, axis=-1)])


def small_data() -> list[np.ndarray]:
    return [RNG.integers(0, 4, (8, 6)), RNG.normal(size=(8, 5, 3)).astype("float32")]


def test_copies_and_files(tmp_path: Path) -> None:
    model, data = small_model(), small_data()
    wanted = model.predict(data, verbose=0)
    assert wanted[1].dtype.kind == "i"
    model.save(tmp_path / "a.keras")
    model.save(tmp_path / "a.h5")
    others = [
        models.load_model(tmp_path / "a.keras"),
        models.load_model(tmp_path / "a.h5"),
        models.model_from_json(model.to_json()),
        models.clone_model(model),
        copy.deepcopy(model),
        pickle.loads(pickle.dumps(model)),
    ]
    for other in others:
        other.set_weights(model.get_weights())
        for one, part in zip(other.predict(data, verbose=0), wanted, strict=True):
            np.testing.assert_array_equal(one, part)
        assert [each.name for each in other.operations] == [each.name for each in model.operations]
    # A part of the model, from an operation on.
    whole = models.Model(model.inputs, model.outputs[0].node.inputs[0])
    part = models.Model(whole.output, model.outputs[0])
    np.testing.assert_allclose(
        part.predict(whole.predict(data, verbose=0), verbose=0), wanted[0], rtol=1e-6
    )


def test_it_trains() -> None:
    model, (tokens, x) = small_model(), small_data()
    only = models.Model(model.inputs, model.outputs[0])
    only.compile(fastrnn.optimizers.Adam(0.02), "mse")
    y = x.sum(axis=(1, 2), keepdims=True)[:, 0] * [1.0, -1.0]
    history = only.fit([tokens, x], y, epochs=80, verbose=0).history["loss"]
    assert history[-1] < 0.2 * history[0]


def test_operations_are_no_layers() -> None:
    model = small_model()
    kinds = [type(each).__name__ for each in model.layers]
    assert kinds.count("GRU") == 1
    assert "Operation" not in kinds
    assert len(model.operations) == len(model.layers) + 10
    lines: list[str] = []
    model.summary(print_fn=lines.append)
    text = "\n".join(lines)
    assert "(GetItem)" in text
    assert "(OneHot)" in text


def test_configs_have_the_form_of_keras() -> None:
    x = layers.Input((5, 3), name="x")
    y = ops.mean(1 - x[:, ::2, 0], axis=1, keepdims=True)
    last, minus, first = (
        each for each in reversed(models.Model(x, y).get_config()["layers"]) if each["name"] != "x"
    )
    open_slice = {"class_name": "__slice__", "config": dict.fromkeys(("start", "stop", "step"))}
    assert first["module"] == "keras.src.ops.numpy"
    assert first["class_name"] == first["registered_name"] == "GetItem"
    key = first["inbound_nodes"][0]["args"][1]
    assert key[0] == open_slice
    assert key[1]["config"]["step"] == 2
    assert key[2] == 0
    one, tensor = minus["inbound_nodes"][0]["args"]
    assert one == 1
    assert tensor["config"]["keras_history"] == [first["name"], 0, 0]
    assert last["config"] == {"name": last["name"], "axis": 1, "keepdims": True}
    assert len(last["inbound_nodes"][0]["args"]) == 1
    json.dumps(last)


def test_what_is_known_of_a_tensor() -> None:
    x = layers.Input((5, 3))
    assert ops.shape(x) == (None, 5, 3)
    assert ops.ndim(x) == 3
    assert ops.is_tensor(x)
    assert ops.convert_to_tensor(x) is x
    assert x in [x]
    assert (x != 0).dtype == "bool"
    for use in (bool, float, len, iter, np.asarray):
        with pytest.raises(TypeError, match="has no values"):
            use(x)


def test_a_position_far_away() -> None:
    x = layers.Input((None, 3))
    y = x[:, 40]
    assert y.shape == (None, 3)
    data = RNG.normal(size=(2, 50, 3)).astype("float32")
    np.testing.assert_array_equal(models.Model(x, y).predict(data, verbose=0), data[:, 40])


@pytest.mark.parametrize(
    ("use", "error", "message"),
    [
        (lambda x: x @ np.ones((4, 2)), ValueError, r"`matmul` cannot be applied .*\(None, 5, 3\)"),
        (lambda x: x[:, 7], ValueError, "`get_item` cannot be applied"),
        (lambda x: ops.concatenate([x, x[:, 0]]), ValueError, "`concatenate` cannot be applied"),
        (lambda x: ops.map(lambda row: row, x), TypeError, "put it into the `call` of a layer"),
        (lambda x: ops.convert_to_numpy(x), TypeError, "cannot be applied to symbolic tensors"),
    ],
)
def test_bad_operations(use: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        use(layers.Input((5, 3)))


def test_operations_of_files_that_are_not_here() -> None:
    x = layers.Input((5, 3))
    config = models.Model(x, ops.relu(x)).get_config()
    config["layers"][-1]["class_name"] = "Fft2"
    with pytest.raises(ValueError, match=r"operation 'relu.*' of class Fft2 is not supported"):
        models.Model.from_config(config)
    config["layers"][-1]["class_name"] = "Map"
    with pytest.raises((TypeError, ValueError), match="map"):
        models.Model.from_config(config)


@pytest.mark.parametrize("name", sorted({*EXPRESSIONS} - {"list", "norm"}))
def test_keras_reads_it_and_is_read(keras: Any, name: str) -> None:
    """Keras 3.15.1 takes no lists as indices, and cannot read its own `Norm` back."""
    x = layers.Input((5, 3))
    model = models.Model(x, EXPRESSIONS[name](x))
    wanted = as_array(name).astype("float64")
    theirs = keras.models.model_from_json(model.to_json())
    assert theirs.output_shape == model.output_shape
    np.testing.assert_allclose(np.asarray(theirs(X), float), wanted, rtol=1e-5, atol=1e-6)
    back = models.model_from_json(theirs.to_json())
    np.testing.assert_array_equal(np.asarray(back(X), float), np.asarray(model(X), float))
    assert [each.name for each in back.operations] == [each.name for each in theirs.operations]
