"""The layers around recurrent ones against live Keras: outputs, gradients, shapes, masks, configs.

What is particular to one of them stands in a file of its own.
"""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any

import fastrnn.layers
import numpy as np
import pytest
from support.keras_twins import assert_same, assert_same_gradients, randomized

CASES: list[tuple[str, dict[str, Any], tuple[int, ...]]] = [
    ("Activation", {"activation": "tanh"}, (2, 3, 4)),
    ("Activation", {"activation": "gelu"}, (2, 3)),
    ("Activation", {"activation": "softmax"}, (2, 3, 4)),
    ("ReLU", {}, (2, 3, 4)),
    ("ReLU", {"max_value": 1.0, "negative_slope": 0.2, "threshold": 0.1}, (5, 3)),
    ("LeakyReLU", {}, (2, 3, 4)),
    ("LeakyReLU", {"negative_slope": 0.01}, (5,)),
    ("ELU", {"alpha": 0.7}, (2, 3, 4)),
    ("Softmax", {}, (2, 3, 4)),
    ("Softmax", {"axis": 1}, (2, 3, 4)),
    ("Softmax", {"axis": [1, 2]}, (2, 3, 4)),
    ("Masking", {}, (3, 5, 2)),
    ("Masking", {"mask_value": 0.1}, (3, 5, 2)),
    ("Masking", {"mask_value": -1}, (3, 2)),
    ("Dropout", {"rate": 0.5, "noise_shape": (7, 7)}, (2, 3, 4)),
    ("SpatialDropout1D", {"rate": 0.5}, (2, 3, 4)),
    ("GaussianDropout", {"rate": 0.5, "seed": 3}, (2, 3)),
    ("GaussianNoise", {"stddev": 0.5}, (2, 3)),
    ("Flatten", {}, (2, 3, 4)),
    ("Flatten", {}, (3,)),
    ("Flatten", {"data_format": "channels_first"}, (2, 3, 4, 5)),
    ("Flatten", {"data_format": "channels_first"}, (2, 3)),
    ("Reshape", {"target_shape": (3, 4)}, (2, 12)),
    ("Reshape", {"target_shape": (-1, 2)}, (5, 2, 3)),
    ("Reshape", {"target_shape": (-1,)}, (5, 2, 3)),
    ("Permute", {"dims": (2, 1)}, (2, 3, 4)),
    ("Permute", {"dims": (3, 1, 2)}, (2, 3, 4, 5)),
    ("RepeatVector", {"n": 3}, (2, 5)),
    ("GlobalMaxPooling1D", {}, (2, 3, 4)),
    ("GlobalMaxPooling1D", {"keepdims": True}, (2, 3, 4)),
    ("GlobalMaxPooling1D", {"data_format": "channels_first"}, (2, 3, 4)),
    ("GlobalAveragePooling1D", {}, (2, 3, 4)),
    ("GlobalAveragePooling1D", {"keepdims": True}, (2, 3, 4)),
    ("GlobalAveragePooling1D", {"data_format": "channels_first", "keepdims": True}, (2, 3, 4)),
    ("LayerNormalization", {}, (2, 3, 4)),
    ("LayerNormalization", {"axis": 1, "epsilon": 0.3}, (2, 3, 4)),
    ("LayerNormalization", {"axis": [1, 2], "center": False}, (2, 3, 4)),
    ("LayerNormalization", {"axis": [2, 1], "scale": False}, (2, 3, 4)),
    ("LayerNormalization", {"axis": [1, -1]}, (2, 3, 3, 4)),
    ("LayerNormalization", {"axis": 0, "center": False, "scale": False}, (5, 3)),
]
# Cases with masks: True where the layer itself takes one.
MASKED: list[tuple[str, dict[str, Any], tuple[int, ...]]] = [
    ("GlobalAveragePooling1D", {}, (3, 4, 2)),
    ("GlobalAveragePooling1D", {"keepdims": True}, (3, 4, 2)),
    ("GlobalAveragePooling1D", {"data_format": "channels_first"}, (3, 2, 4)),
    ("Softmax", {}, (3, 4)),
    ("Softmax", {"axis": (0, 1)}, (3, 4)),
]
MASK = np.array([[1, 1, 0, 0], [0, 1, 0, 1], [1, 1, 1, 1]], bool)
NAMES = sorted({name for name, _, _ in CASES} | {"TimeDistributed"})


def twins(keras: ModuleType, name: str, config: dict[str, Any]) -> tuple[Any, Any]:
    return tuple(getattr(lib.layers, name)(**config) for lib in (keras, fastrnn))


def numbers(rng: np.random.Generator, name: str, config: dict[str, Any], *shape: int) -> Any:
    """Random numbers; for Masking with steps, but no others, that hold the value alone."""
    x = rng.normal(size=shape).astype("float32")
    if name == "Masking":
        value = config.get("mask_value", 0)
        x[1, ..., :] = value
        x[2:, ::2] = value
        x[0, ..., :1] = value
    return x


@pytest.mark.parametrize(("name", "config", "shape"), CASES)
def test_outputs_and_gradients(
    keras: ModuleType,
    rng: np.random.Generator,
    name: str,
    config: dict[str, Any],
    shape: tuple[int, ...],
) -> None:
    theirs, ours = twins(keras, name, config)
    x = numbers(rng, name, config, *shape)
    theirs.build(shape)
    ours.build(shape)
    assert [w.shape for w in ours.weights] == [tuple(w.shape) for w in theirs.weights]
    assert [w.name for w in ours.weights] == [w.name for w in theirs.weights]
    randomized(rng, theirs, ours)
    assert_same(ours(x), theirs(x))
    if name not in ("Dropout", "SpatialDropout1D", "GaussianDropout", "GaussianNoise"):
        assert_same_gradients(rng, theirs, ours, x, None)


@pytest.mark.parametrize(("name", "config", "shape"), CASES)
def test_shapes_and_masks(
    keras: ModuleType,
    rng: np.random.Generator,
    name: str,
    config: dict[str, Any],
    shape: tuple[int, ...],
) -> None:
    theirs, ours = twins(keras, name, config)
    batch_open = (None, *shape[1:])
    assert ours.compute_output_shape(shape) == theirs.compute_output_shape(shape)
    if config.get("axis") != 0:
        assert ours.compute_output_shape(batch_open) == theirs.compute_output_shape(batch_open)
    assert ours.supports_masking == theirs.supports_masking
    assert ours.uses_mask == ("mask" in inspect.signature(theirs.call).parameters)
    if ours.supports_masking and len(shape) > 1:
        x, mask = numbers(rng, name, config, *shape), rng.random(shape[:2]) < 0.5
        got, wanted = ours.compute_mask(x, mask), theirs.compute_mask(x, mask)
        assert (got is None) == (wanted is None)
        if got is not None:
            np.testing.assert_array_equal(got, np.asarray(wanted))


@pytest.mark.parametrize(("name", "config", "shape"), CASES)
def test_configs_go_to_keras_and_back(
    keras: ModuleType, name: str, config: dict[str, Any], shape: tuple[int, ...]
) -> None:
    theirs, ours = twins(keras, name, config)
    written = ours.get_config()
    assert type(ours).from_config(written).get_config() == written
    in_keras = type(theirs).from_config(written).get_config()
    back = type(ours).from_config(in_keras).get_config()
    assert back == written
    for key, value in config.items():
        assert written[key] == value
        assert in_keras[key] == value
    again = fastrnn.layers.deserialize(fastrnn.layers.serialize(ours))
    assert again.get_config() == written
    assert keras.layers.deserialize(fastrnn.layers.serialize(ours)).get_config() == in_keras
    theirs.build(shape)  # which changes the `axis` of a LayerNormalization
    assert type(ours).from_config(theirs.get_config()).get_config().keys() == written.keys()


@pytest.mark.parametrize(("name", "config", "shape"), MASKED)
def test_outputs_and_gradients_with_a_mask(
    keras: ModuleType,
    rng: np.random.Generator,
    name: str,
    config: dict[str, Any],
    shape: tuple[int, ...],
) -> None:
    theirs, ours = twins(keras, name, config)
    x = rng.normal(size=shape).astype("float32")
    assert_same(ours(x, mask=MASK), theirs(x, mask=MASK))
    assert np.abs(ours(x, mask=MASK) - ours(x)).max() > 1e-3
    assert_same_gradients(rng, theirs, ours, x, MASK)


@pytest.mark.parametrize("name", NAMES)
def test_arguments_are_those_of_keras(keras: ModuleType, name: str) -> None:
    ours, theirs = (
        [
            (each.name, each.kind, each.default)
            for each in inspect.signature(getattr(lib.layers, name)).parameters.values()
        ]
        for lib in (fastrnn, keras)
    )
    assert ours == theirs


@pytest.mark.parametrize(("name", "config", "shape"), CASES)
def test_an_empty_batch_gives_an_empty_result(
    name: str, config: dict[str, Any], shape: tuple[int, ...]
) -> None:
    if config.get("axis") == 0:
        return
    layer = getattr(fastrnn.layers, name)(**config)
    y = layer(np.zeros((0, *shape[1:])))
    assert y.dtype == np.float32
    assert y.shape == layer.compute_output_shape((0, *shape[1:]))
    assert y.size == 0
