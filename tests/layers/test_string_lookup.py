"""StringLookup without Keras: values from Keras 3.15.1, and what holds for any strings."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastrnn.layers import StringLookup
from fastrnn.layers.string_hash import farm_hash, sip_hash
from hypothesis import given, settings
from hypothesis import strategies as st

WORDS = ["sun", "rain", "snow"]
TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)


def _adapted(data: Any, **arguments: Any) -> StringLookup:
    layer = StringLookup(**arguments)
    layer.adapt(data)
    return layer


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, [["[UNK]", "b", "c", "é", "a", "A"], [4, 1, 0, 0, 0]]),
        ({"mask_token": ""}, [["", "[UNK]", "b", "c", "é", "a", "A"], [5, 2, 0, 1, 1]]),
        ({"max_tokens": 3}, [["[UNK]", "b", "c"], [0, 1, 0, 0, 0]]),
        (
            {"num_oov_indices": 3, "mask_token": ""},
            [["", "[UNK]", "[UNK]", "[UNK]", "b", "c", "é", "a", "A"], [7, 4, 0, 2, 2]],
        ),
        (
            {"num_oov_indices": 3, "mask_token": "", "salt": 7},
            [["", "[UNK]", "[UNK]", "[UNK]", "b", "c", "é", "a", "A"], [7, 4, 0, 1, 3]],
        ),
    ],
)
def test_ranks_by_frequency_then_backwards_by_bytes(
    arguments: dict[str, Any], expected: list[Any]
) -> None:
    layer = _adapted(["b", "a", "c", "b", "é", "A", "c", "b"], **arguments)
    vocabulary, numbers = expected
    assert layer.get_vocabulary() == vocabulary
    found = layer(["a", "b", "", "z", "yy"])
    assert found.dtype == np.int64
    assert found.tolist() == numbers
    assert layer.vocabulary_size() == len(vocabulary)
    without = layer.get_vocabulary(include_special_tokens=False)
    assert without == [token for token in vocabulary if token not in ("", "[UNK]")]


@pytest.mark.parametrize(
    "form",
    [
        lambda texts: texts,
        lambda texts: [text.encode() for text in texts],
        np.array,
        lambda texts: np.array(texts, dtype=object),
        lambda texts: np.array([text.encode() for text in texts]),
        lambda texts: np.array(texts, dtype=np.dtypes.StringDType()),
        lambda texts: [np.str_(text) for text in texts],
        lambda texts: [[text] for text in texts],
        lambda texts: np.array(texts)[:, np.newaxis],
        lambda texts: (np.array([text]) for text in texts),
    ],
)
def test_strings_in_any_form(form: Any) -> None:
    texts = ["snow", "süd", "snow", "rain"]
    layer = _adapted(form(texts))
    assert layer.get_vocabulary() == ["[UNK]", "snow", "süd", "rain"]
    data = form(texts)
    found = layer(list(data) if hasattr(data, "__next__") else data)
    assert found.ravel().tolist() == [1, 2, 1, 3]


@pytest.mark.parametrize(
    ("mode", "strings", "expected"),
    [
        ("one_hot", ["rain", "z"], [[0, 0, 1, 0], [1, 0, 0, 0]]),
        ("one_hot", [["rain"], ["z"]], [[0, 0, 1, 0], [1, 0, 0, 0]]),
        ("one_hot", [["rain", ""]], [[[0, 0, 1, 0], [0, 0, 0, 0]]]),
        ("multi_hot", ["rain", "rain"], [0, 0, 1, 0]),
        ("multi_hot", [["rain", "rain", ""], ["z", "q", "sun"]], [[0, 0, 1, 0], [1, 1, 0, 0]]),
        ("count", [["rain", "rain", ""], ["z", "q", "sun"]], [[0, 0, 2, 0], [2, 1, 0, 0]]),
        ("binary", [[["rain", "rain"], ["z", "sun"]]], [[[0, 0, 1, 0], [1, 1, 0, 0]]]),
        ("count", "rain", [0, 0, 1, 0]),
    ],
)
def test_vectors(mode: str, strings: Any, expected: Any) -> None:
    layer = StringLookup(vocabulary=WORDS, output_mode=mode, mask_token="")
    found = layer(strings)
    assert found.dtype == np.int64
    assert found.tolist() == expected
    shape = np.shape(strings)
    if shape:
        assert layer.compute_output_shape(shape) == found.shape


def test_weights_of_documents() -> None:
    data = [["b", "a"], ["b", "c"]]
    layer = _adapted(data, output_mode="tf_idf", max_tokens=6, pad_to_max_tokens=True)
    expected = [[0.63237333 * 2, 0.51082563, 0, 0.6931472, 0, 0]]
    found = layer([["z", "a", "b", "q"]])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-6)

    given = StringLookup(vocabulary=["a", "b"], idf_weights=[1.0, 2.0], output_mode="tf_idf")
    np.testing.assert_array_equal(given([["z", "b", "b"]]), [[1.5, 0, 4]])
    given.set_vocabulary(["[UNK]", "a", "b"], [5.0, 1.0, 2.0])
    np.testing.assert_array_equal(given([["z", "b", "b"]]), [[5, 0, 4]])


def test_batches_are_documents_where_they_have_one_dimension() -> None:
    one = _adapted(iter([["b", "a", "b"]]), output_mode="tf_idf")
    three = _adapted(["b", "a", "b"], output_mode="tf_idf")
    np.testing.assert_allclose(one(["b"]), [0, 0.4054651, 0], rtol=1e-6)
    np.testing.assert_allclose(three(["b"]), [0, 0.6931472, 0], rtol=1e-6)
    endless = iter(lambda: ["x", "y"], None)
    layer = StringLookup()
    layer.adapt(endless, steps=3)
    assert layer.get_vocabulary() == ["[UNK]", "y", "x"]


def test_strings_of_numbers() -> None:
    layer = StringLookup(vocabulary=WORDS, invert=True, mask_token="")
    found = layer([[0, 1, 2], [4, 5, -1]])
    assert found.tolist() == [[b"", b"[UNK]", b"sun"], [b"snow", b"[UNK]", b"[UNK]"]]
    assert layer(np.array(3.0)).tolist() == b"rain"
    assert found.numpy().dtype == object


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.lists(TEXTS, min_size=1, max_size=6), min_size=1, max_size=12),
    st.sampled_from([None, "", "M"]),
    st.integers(1, 3),
)
def test_there_and_back(data: list[list[str]], mask_token: str | None, unknown: int) -> None:
    """All strings that were adapted to come back, in the order of frequency."""
    texts = [text for row in data for text in row]
    special = {mask_token, "[UNK]"}
    if not set(texts) - special:
        return
    layer = _adapted(iter(data), mask_token=mask_token, num_oov_indices=unknown)
    vocabulary = layer.get_vocabulary()
    assert set(layer.get_vocabulary(False)) == set(texts) - special
    keys = [(texts.count(text), text.encode()) for text in layer.get_vocabulary(False)]
    assert keys == sorted(keys, reverse=True)
    back = StringLookup(
        vocabulary=vocabulary, invert=True, mask_token=mask_token, num_oov_indices=unknown
    )
    again = [text.decode() for text in back(layer(texts)).tolist()]
    assert again == texts
    same = StringLookup.from_config(layer.get_config())
    same.set_vocabulary(vocabulary)
    other = [*texts, "\x00 not there", "[UNK]"]
    np.testing.assert_array_equal(same(other), layer(other))


def test_copies_have_the_vocabulary() -> None:
    layer = _adapted(["b", "a", "b"], mask_token="")
    for twin in (copy.copy(layer), copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert twin(["a", "z", ""]).tolist() == [3, 1, 0]
    given = StringLookup(vocabulary=np.array(WORDS), name="words")
    config = given.get_config()
    assert config["vocabulary"] == WORDS
    assert StringLookup.from_config(config)(["snow"]).tolist() == [3]
    given.set_vocabulary(["new"])
    assert given.get_config()["vocabulary"] == ["new"]
    layer.adapt(["q"])
    assert layer.get_vocabulary() == ["", "[UNK]", "q"]
    assert layer.get_config()["vocabulary"] is None


def test_vocabulary_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_bytes("b\r\nsüd\n".encode())
    assert StringLookup(vocabulary=path).get_vocabulary() == ["[UNK]", "b", "süd"]
    path.write_bytes("[UNK]\nsüd".encode("latin-1"))
    layer = StringLookup(vocabulary=str(path), encoding="latin-1")
    assert layer.get_vocabulary() == ["[UNK]", "süd"]
    assert layer(["süd".encode("latin-1"), "süd"]).tolist() == [1, 1]
    assert layer.get_config()["vocabulary"] is None
    with pytest.raises(ValueError, match="No such file"):
        StringLookup(vocabulary="nowhere.txt")
    with pytest.raises(ValueError, match="`vocabulary` in a config must be a list"):
        StringLookup.from_config({**layer.get_config(), "vocabulary": str(path)})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_tokens": 1}, "`max_tokens` must be an integer >= 2"),
        ({"num_oov_indices": -1}, "`num_oov_indices` must be an integer >= 0"),
        ({"pad_to_max_tokens": True}, "`max_tokens` must be given"),
        ({"output_mode": "words"}, "`output_mode` must be one of"),
        ({"invert": True, "output_mode": "count"}, "`output_mode` must be 'int'"),
        ({"encoding": "utf-9"}, "`encoding` must be the name of a text encoding"),
        ({"salt": "x"}, "`salt` must be an integer or two"),
        ({"sparse": True}, "`sparse` of StringLookup is not supported"),
        ({"oov_method": "x"}, "`oov_method` must be"),
        ({"vocabulary": []}, "must hold at least one token"),
        ({"vocabulary": ["a", "b", "a"]}, "must be different. Received: \\['a'\\]"),
        ({"vocabulary": ["a", "b"], "max_tokens": 2}, "must have at most `max_tokens`"),
        ({"vocabulary": ["a", ""], "mask_token": ""}, "must have special tokens in front"),
        ({"vocabulary": ["a", "[UNK]"], "invert": True}, "must have special tokens in front"),
        ({"vocabulary": ["a"], "idf_weights": [1.0]}, "`idf_weights` must be given"),
        ({"vocabulary": ["a"], "output_mode": "tf_idf"}, "`idf_weights` must be given"),
        (
            {"vocabulary": ["a"], "output_mode": "tf_idf", "idf_weights": [1.0, 2.0]},
            "a weight for each of the 1 tokens",
        ),
        ({"mask_tokens": ""}, "Did you mean `mask_token`"),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        StringLookup(**arguments)


def test_bad_data() -> None:
    layer = StringLookup(vocabulary=WORDS)
    with pytest.raises(TypeError, match=r"`inputs` must hold strings. Received: 3"):
        layer(["a", 3])
    with pytest.raises(TypeError, match=r"`inputs` must hold strings. Received: dtype=float64"):
        layer(np.ones(3))
    with pytest.raises(TypeError, match=r"Fill in missing texts first.*Received: None"):
        layer(np.array(["a", None], dtype=object))
    with pytest.raises(ValueError, match="`inputs` must be a rectangular array"):
        layer([["a"], ["b", "c"]])
    with pytest.raises(ValueError, match="was made with a `vocabulary`"):
        layer.adapt(["a"])
    with pytest.raises(TypeError, match=r"`vocabulary` must hold strings. Received: 1"):
        layer.set_vocabulary([1])
    assert layer.get_vocabulary(False) == WORDS
    with pytest.raises(ValueError, match="has no vocabulary yet: call `adapt`"):
        StringLookup()(["a"])
    with pytest.raises(ValueError, match="must hold at least one token"):
        StringLookup(mask_token="").adapt(["", ""])
    with pytest.raises(ValueError, match=r"must be in the vocabulary.*b'z'"):
        StringLookup(vocabulary=WORDS, num_oov_indices=0)(["sun", "z"])
    with pytest.raises(ValueError, match="in the encoding of the layer, utf-8"):
        StringLookup().adapt([b"\xff"])
    with pytest.raises(ValueError, match="in the encoding of the layer"):
        layer(["\ud800"])
    with pytest.raises(ValueError, match="must hold integers, the numbers of tokens"):
        StringLookup(vocabulary=WORDS, invert=True)([0.5])


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (1, 5161771770385946686),
        (7, 2283230375004712485),
        (12, 5458128934246195691),
        (30, 15693638242095368008),
        (50, 4637125024122191543),
        (64, 1233890031545200074),
        (65, 245071660283424945),
        (200, 8231798733321432151),
    ],
)
def test_farm_hash(size: int, expected: int) -> None:
    assert farm_hash(bytes((7 * i + 1) % 256 for i in range(size))) == expected


def test_sip_hash() -> None:
    """The test vectors of its reference implementation."""
    key = (0x0706050403020100, 0x0F0E0D0C0B0A0908)
    assert sip_hash(b"", key) == 0x726FDB47DD0E0E31
    assert sip_hash(bytes(range(8)), key) == 0x93F5F5799A932462
