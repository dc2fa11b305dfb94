"""TextVectorization beside Keras's on TensorFlow: random texts, every argument."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from fastrnn.layers import TextVectorization

PIECES = [
    *["the", "The", "film", "FILM", "naïve", "NAÏVE", "Straße", "İ", "ﬁ", "日本", "😀"],
    *["don't", "(sic)", "a.b", "[UNK]"],
    *["", "x" * 70, "\u00a0", "\u3000", "\u2028", "\x00", "\x1c"],
    *[" ", "  ", "\t", "\n", "\r\n", "\x0b", "\x0c", *"!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'"],
]


def texts(rng: np.random.Generator, number: int) -> list[str]:
    """Return random texts, some of them empty."""
    return [
        rng.choice(["", " "]).join(rng.choice(PIECES, int(rng.integers(12)))) for _ in range(number)
    ]


ARGUMENTS: list[dict[str, Any]] = [
    {},
    {"max_tokens": 20, "output_sequence_length": 7},
    {"standardize": None, "ngrams": 2},
    {"standardize": "lower", "ngrams": (3, 1), "output_sequence_length": 30},
    {"standardize": "strip_punctuation"},
    {"split": "character"},
    {"split": "character", "standardize": None, "ngrams": 3, "max_tokens": 100},
    {"split": None},
    {"output_mode": "multi_hot"},
    {"output_mode": "count", "max_tokens": 15, "ngrams": 2},
    {"output_mode": "count", "max_tokens": 1000, "pad_to_max_tokens": True},
    {"output_mode": "tf_idf", "max_tokens": 25},
    {"output_mode": "tf_idf", "max_tokens": 1000, "pad_to_max_tokens": True, "split": "character"},
]


@pytest.mark.parametrize("number", range(len(ARGUMENTS)))
def test_adapted(keras: ModuleType, number: int) -> None:
    rng = np.random.default_rng(number)
    arguments = ARGUMENTS[number]
    theirs, ours = keras.layers.TextVectorization(**arguments), TextVectorization(**arguments)
    data = texts(rng, 50)
    for each in (theirs, ours):
        each.adapt(data)
    assert ours.get_vocabulary() == theirs.get_vocabulary()
    assert ours.vocabulary_size() == theirs.vocabulary_size()
    for size in (1, 20):
        x = [[text] for text in texts(rng, size)]
        expected = theirs(x).numpy()
        found = ours(x)
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=1e-6)
        if arguments.get("split", "") is not None:
            np.testing.assert_array_equal(ours([text for (text,) in x]), found)
            if ours.output_mode == "int":  # of vectors Keras states a dimension that they lack
                shapes = [layer.compute_output_shape((None, 1)) for layer in (ours, theirs)]
                assert shapes[0] == shapes[1]
            single = x[-1][0] or "a"  # Keras has errors for an empty one
            np.testing.assert_allclose(ours(single), theirs(single).numpy(), rtol=1e-6)
    config, theirs_config = ours.get_config(), theirs.get_config()
    assert set(config) == set(theirs_config)
    for key in set(config) - {"name", "dtype"} - _in_config(ours):
        assert config[key] == theirs_config[key], key
    again = TextVectorization.from_config(theirs_config)
    again.set_vocabulary(ours.get_vocabulary(), *_weights(theirs))
    np.testing.assert_allclose(again(x), found, rtol=1e-6)


def _in_config(layer: TextVectorization) -> set[str]:
    """Return what the config holds because a file with a token per line cannot."""
    held = "\n".join(layer.get_vocabulary()).splitlines() == layer.get_vocabulary()
    return set() if held else {"vocabulary", "idf_weights"}


def _weights(theirs: Any) -> list[Any]:
    if theirs.get_config()["output_mode"] != "tf_idf":
        return []
    weights = theirs._lookup_layer.idf_weights_const.numpy()
    return [weights[: theirs.vocabulary_size()]]


def test_functions_of_tensorflow(keras: ModuleType) -> None:
    """The standardization of TensorFlow's tutorial, and a split into ragged tensors."""
    import tensorflow as tf

    def standardize(data: Any) -> Any:
        lower = tf.strings.lower(data)
        return tf.strings.regex_replace(lower, "<br />|[!.,]", " ")

    def split(data: Any) -> Any:
        return tf.strings.split(data, sep=" ")

    arguments = {"standardize": standardize, "split": split}
    theirs, ours = keras.layers.TextVectorization(**arguments), TextVectorization(**arguments)
    data = ["A film.<br />Naïve, but good!", "good  film", ""]
    for each in (theirs, ours):
        each.adapt(data)
    assert ours.get_vocabulary() == theirs.get_vocabulary()
    np.testing.assert_array_equal(ours(data), theirs(data).numpy())


def test_data_of_tensorflow(keras: ModuleType) -> None:
    import tensorflow as tf

    data = tf.data.Dataset.from_tensor_slices(["b a", "a", "c a", "b"]).batch(2)
    theirs, ours = (cls() for cls in (keras.layers.TextVectorization, TextVectorization))
    for each in (theirs, ours):
        each.adapt(data.repeat(), steps=5)
    assert ours.get_vocabulary() == theirs.get_vocabulary()
    x = tf.constant([["b a"], ["q"]])
    np.testing.assert_array_equal(ours(x), theirs(x).numpy())
    ours.set_vocabulary(tf.constant(["n", "m"]))
    assert ours.get_vocabulary() == ["", "[UNK]", "n", "m"]
    assert ours(tf.ragged.constant([["n"], ["m"]])).tolist() == [[2], [3]]
    with pytest.raises(ValueError, match="must be a rectangular array"):
        ours(tf.ragged.constant([["n"], ["m", "n"]]))


def test_bytes_that_are_no_texts(keras: ModuleType) -> None:
    rng = np.random.default_rng(8)
    parts = [
        *b"\x41\x20\x80\xbf\xc0\xc3\xa9\xe2\x82\xac\xed\xa0\xf0\x9f\x98\x80\xf4\x90\xff\x00\x1c\x85!"
    ]
    data = [bytes(rng.choice(parts, int(rng.integers(9))).tolist()) for _ in range(500)]
    words = sorted({"A", "é", "€", "😀", "\ufffd"})
    for arguments in ({}, {"split": "character"}):
        theirs, ours = (
            cls(vocabulary=words, **arguments)
            for cls in (keras.layers.TextVectorization, TextVectorization)
        )
        np.testing.assert_array_equal(ours(data), theirs(data).numpy())
