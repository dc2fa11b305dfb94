"""StringLookup beside Keras's on TensorFlow: random strings, every argument."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from fastrnn.layers import StringLookup

LETTERS = [*"abcxyzÄéß€😀", " ", "\t", "\x00", "[UNK]", "longer than sixteen letters"]


def strings(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Return random strings, many of them twice and some empty."""
    made = np.empty(shape, dtype=object)
    for place in np.ndindex(shape):
        made[place] = "".join(rng.choice(LETTERS, int(rng.integers(4))))
    return made


ARGUMENTS: list[dict[str, Any]] = [
    {},
    {"mask_token": ""},
    {"mask_token": "a", "max_tokens": 20},
    {"num_oov_indices": 5, "max_tokens": 20},
    {"num_oov_indices": 7, "max_tokens": 20, "mask_token": "", "salt": [3, -4]},
    {"num_oov_indices": 4, "max_tokens": 20, "salt": 11, "oov_method": "farmhash"},
    {"oov_token": "x"},
    {"output_mode": "one_hot", "mask_token": ""},
    {"output_mode": "multi_hot", "max_tokens": 30},
    {"output_mode": "count", "mask_token": "", "num_oov_indices": 2, "max_tokens": 15},
    {"output_mode": "count", "max_tokens": 300, "pad_to_max_tokens": True},
    {"output_mode": "tf_idf", "mask_token": "", "max_tokens": 25},
    {"output_mode": "tf_idf", "max_tokens": 300, "pad_to_max_tokens": True},
]


@pytest.mark.parametrize("number", range(len(ARGUMENTS)))
def test_adapted(keras: ModuleType, number: int) -> None:
    rng = np.random.default_rng(number)
    arguments = ARGUMENTS[number]
    theirs, ours = keras.layers.StringLookup(**arguments), StringLookup(**arguments)
    data = strings(rng, (60, 3))
    for each in (theirs, ours):
        each.adapt(data.tolist())
    assert ours.get_vocabulary() == theirs.get_vocabulary()
    assert ours.vocabulary_size() == theirs.vocabulary_size()
    for shape in ((8, 3), (8, 1), (5,)):
        x = strings(rng, shape)
        expected = theirs(x.tolist()).numpy()
        found = ours(x)
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=1e-6)
        shapes = [layer.compute_output_shape((None, *shape[1:])) for layer in (ours, theirs)]
        assert shapes[0] == shapes[1]
    config, theirs_config = ours.get_config(), theirs.get_config()
    assert set(config) == set(theirs_config)
    # Keras cannot load the file of a vocabulary with padded weights: ours is in the config.
    padded = ours.pad_to_max_tokens and ours.output_mode == "tf_idf"
    apart = {"vocabulary", "idf_weights"} if padded else set()
    for key in set(config) - {"name", "dtype"} - apart:
        assert config[key] == theirs_config[key], key
    again = StringLookup.from_config(theirs_config)
    again.adapt(data)
    np.testing.assert_array_equal(again(x), found)


@pytest.mark.parametrize("mask_token", [None, ""])
@pytest.mark.parametrize("unknown", [0, 1, 3])
def test_inverted(keras: ModuleType, mask_token: str | None, unknown: int) -> None:
    arguments = {
        "vocabulary": ["b", "é", "a"],
        "mask_token": mask_token,
        "num_oov_indices": unknown,
        "invert": True,
    }
    theirs, ours = keras.layers.StringLookup(**arguments), StringLookup(**arguments)
    numbers = np.arange(-2, 10).reshape(2, 6)
    np.testing.assert_array_equal(ours(numbers), theirs(numbers).numpy())
    assert ours.get_vocabulary() == theirs.get_vocabulary()


def test_hashes_of_long_strings(keras: ModuleType) -> None:
    rng = np.random.default_rng(5)
    texts = ["".join(rng.choice(LETTERS, size)) for size in range(150)]
    for salt in (None, 5):
        arguments = {"vocabulary": ["q"], "num_oov_indices": 100_003, "salt": salt}
        theirs, ours = keras.layers.StringLookup(**arguments), StringLookup(**arguments)
        np.testing.assert_array_equal(ours(texts), theirs(texts).numpy())


def test_bytes_of_another_encoding(keras: ModuleType) -> None:
    data = [text.encode("latin-1") for text in ["süd", "öst", "süd", "ort"]]
    theirs, ours = (cls(encoding="latin-1") for cls in (keras.layers.StringLookup, StringLookup))
    for each in (theirs, ours):
        each.adapt(data)
    assert ours.get_vocabulary() == theirs.get_vocabulary()
    np.testing.assert_array_equal(ours(data), theirs(data).numpy())
