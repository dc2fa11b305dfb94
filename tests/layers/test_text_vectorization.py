"""TextVectorization without Keras: values from Keras 3.15.1, and what holds for any texts."""

from __future__ import annotations

import copy
import pickle
import string
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastrnn.layers import StringLookup, TextVectorization
from fastrnn.utils.custom_objects import custom_object_scope
from hypothesis import given, settings
from hypothesis import strategies as st

DATA = ["a b c", "b c", "c d"]
TEXTS = st.text(st.characters(codec="utf-8"), max_size=30)


def _adapted(data: Any = DATA, **arguments: Any) -> TextVectorization:
    layer = TextVectorization(**arguments)
    layer.adapt(data)
    return layer


@pytest.mark.parametrize(
    ("arguments", "texts", "expected"),
    [
        ({}, ["a c q", "b"], [[5, 2, 1], [3, 0, 0]]),
        ({}, "a c q", [5, 2, 1]),
        ({}, [["a c q"], [""]], [[5, 2, 1], [0, 0, 0]]),
        ({}, ["", "  "], [[], []]),
        ({}, [[["a b c"], ["a"]]], [[[5, 3, 2], [5, 0, 0]]]),
        ({"output_sequence_length": 2}, ["a c q", "b"], [[5, 2], [3, 0]]),
        ({"output_sequence_length": 4}, ["a c q", "b"], [[5, 2, 1, 0], [3, 0, 0, 0]]),
        ({"output_sequence_length": 2}, [[["a b c"], ["a"]]], [[[5, 3], [5, 0]]]),
        ({"max_tokens": 3}, ["a c"], [[1, 2]]),
        ({"ngrams": 2}, ["a c q", "b c"], [[8, 2, 1, 1, 1], [4, 2, 3, 0, 0]]),
        ({"ngrams": (2, 1)}, ["a c q", "a"], [[1, 1, 8, 2, 1], [8, 0, 0, 0, 0]]),
        ({"split": None}, ["a b c", "c"], [4, 1]),
        ({"split": None}, [["a b c", "c"]], [[4, 1]]),
        ({"split": None, "output_sequence_length": 3}, ["a b c", "c"], [[4, 0, 0], [1, 0, 0]]),
        ({"split": "character"}, ["ca é"], [[3, 6, 2, 1]]),
        ({"output_mode": "count"}, ["a b b c", "zz a zz"], [[0, 1, 2, 0, 1], [2, 0, 0, 0, 1]]),
        ({"output_mode": "count"}, "a b b c", [0, 1, 2, 0, 1]),
        (
            {"output_mode": "multi_hot", "max_tokens": 8, "pad_to_max_tokens": True},
            [["a b b c"], ["zz a zz"]],
            [[0, 1, 1, 0, 1, 0, 0, 0], [1, 0, 0, 0, 1, 0, 0, 0]],
        ),
    ],
)
def test_values_of_keras(arguments: dict[str, Any], texts: Any, expected: Any) -> None:
    layer = _adapted(**arguments)
    found = layer(texts)
    assert found.dtype == np.int64
    assert found.tolist() == expected
    shape = np.shape(texts)
    if shape:
        stated = layer.compute_output_shape(shape)
        assert len(stated) == found.ndim
        assert all(size in (None, own) for size, own in zip(stated, found.shape, strict=True))
    np.testing.assert_array_equal(layer.forward(layer.as_input(texts))[0], found)


def test_weighted_counts() -> None:
    layer = _adapted(output_mode="tf_idf")
    found = layer([["a b b c"], ["zz a zz"]])
    expected = [
        [0.0, 0.5596158, 1.3862944, 0.0, 0.91629076],
        [1.5426723, 0.0, 0.0, 0.0, 0.91629076],
    ]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_standardization_is_that_of_ascii() -> None:
    text = "Don't STOP; É\u00a0x! [UNK] \u3000 ß."
    for standardize, words in (
        ("lower_and_strip_punctuation", ["dont", "stop", "É\u00a0x", "unk", "\u3000", "ß"]),
        ("lower", ["don't", "stop;", "É\u00a0x!", "[unk]", "\u3000", "ß."]),
        ("strip_punctuation", ["Dont", "STOP", "É\u00a0x", "UNK", "\u3000", "ß"]),
        (None, ["Don't", "STOP;", "É\u00a0x!", "\u3000", "ß."]),
    ):
        layer = _adapted([text], standardize=standardize)
        ranked = sorted(words, key=str.encode, reverse=True)
        assert layer.get_vocabulary(False) == ranked, standardize
    layer = TextVectorization(vocabulary=["x"])
    assert layer(["x".join(string.punctuation)]).tolist() == [[1]]
    assert layer([f"{mark}x{mark}" for mark in string.punctuation]).tolist() == [[2]] * 32
    assert layer(["x\tx\nx\x0bx\x0cx\rx"]).tolist() == [[2] * 6]


@pytest.mark.parametrize(
    "form",
    [
        lambda texts: texts,
        lambda texts: tuple(text.encode() for text in texts),
        np.array,
        lambda texts: np.array(texts, dtype=object)[:, np.newaxis],
        lambda texts: np.array([text.encode() for text in texts]),
        lambda texts: np.array(texts, dtype=np.dtypes.StringDType()),
    ],
)
def test_texts_in_any_form(form: Any) -> None:
    texts = ["Süd ost", "süd", "nord süd", ""]
    layer = _adapted(form(texts))
    assert layer.get_vocabulary() == ["", "[UNK]", "süd", "ost", "nord"]
    assert layer(form(texts)).tolist() == [[2, 3], [2, 0], [4, 2], [0, 0]]


def test_batches() -> None:
    def batches() -> Any:
        while True:
            yield np.array(["x y"])
            yield ["y z", "y"]

    layer = TextVectorization(output_mode="tf_idf")
    layer.adapt(batches(), steps=2)
    assert layer.get_vocabulary() == ["[UNK]", "y", "z", "x"]
    expected = np.log(1 + 3 / (1 + np.array([3, 1, 1])))  # three documents
    np.testing.assert_allclose(layer(["x y z"])[0, 1:], expected, rtol=1e-6)
    whole = _adapted(["x y", "y z", "y"], output_mode="tf_idf")
    np.testing.assert_array_equal(layer(["x y q"]), whole(["x y q"]))
    layer.adapt(np.array(["new"]), batch_size=7)
    assert layer.get_vocabulary() == ["[UNK]", "new"]


def test_functions_of_the_user() -> None:
    def without_tags(texts: np.ndarray) -> np.ndarray:
        assert texts.dtype.kind == "U"
        return np.char.replace(np.char.lower(texts), "<br />", " ")

    def by_commas(texts: np.ndarray) -> list[list[str]]:
        assert texts.ndim == 1
        return [text.split(",") for text in texts.tolist()]

    layer = _adapted(["A,b<br />c", "É"], standardize=without_tags, split=by_commas)
    assert layer.get_vocabulary(False) == ["é", "b c", "a"]
    assert layer([["a,a"], ["É"]]).tolist() == [[4, 4], [2, 0]]
    config = layer.get_config()
    assert TextVectorization.from_config(config).split is by_commas
    config["split"] = dict(config["split"], config="by_commas")
    with pytest.raises(ValueError, match=r"custom_objects=\{'by_commas': function\}"):
        TextVectorization.from_config(config)
    with custom_object_scope({"by_commas": by_commas}):
        assert TextVectorization.from_config(config).split is by_commas
    dense = TextVectorization(split=lambda texts: np.array([["a", ""]] * len(texts)))
    dense.set_vocabulary(["a"])
    assert dense(["x", "y"]).tolist() == [[2, 0], [2, 0]]
    with pytest.raises(ValueError, match="`standardize` must return as many strings"):
        _adapted(standardize=lambda texts: texts[:1])
    with pytest.raises(ValueError, match="`split` must return a list of tokens for each text"):
        _adapted(split=lambda texts: [["a"]])
    with pytest.raises(TypeError, match=r"The result of `split`.*must hold strings"):
        _adapted(split=lambda texts: [[1]] * len(texts))


def test_a_function_gets_parts_of_many_long_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastrnn.layers.text_splitting._CHARACTERS_AT_ONCE", 20)
    sizes: list[int] = []

    def noted(texts: np.ndarray) -> np.ndarray:
        sizes.append(len(texts))
        return texts

    texts = [f"{number:06}" for number in range(8)]
    layer = _adapted(texts, standardize=noted)
    assert sizes == [3, 3, 2]
    assert layer(texts).ravel().tolist() == list(range(9, 1, -1))


@settings(deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=8), st.integers(1, 3), st.integers(1, 6))
def test_any_texts(texts: list[str], ngrams: int, length: int) -> None:
    """What a few lines of Python say of frequencies, order, cutting and padding."""
    ascii_lower = {ord(letter): letter.lower() for letter in string.ascii_uppercase}
    ascii_lower |= {ord(mark): "" for mark in string.punctuation}
    rows = []
    for text in texts:
        words = [word.decode() for word in text.translate(ascii_lower).encode().split()]
        rows.append(
            [
                " ".join(words[start : start + width])
                for width in range(1, ngrams + 1)
                for start in range(len(words) - width + 1)
            ]
        )
    counts = Counter(token for row in rows for token in row)
    if not counts:
        return
    ranked = sorted(counts, key=lambda token: (counts[token], token.encode()), reverse=True)
    layer = _adapted(texts, ngrams=ngrams, output_sequence_length=length)
    assert layer.get_vocabulary() == ["", "[UNK]", *ranked]
    numbers = {token: 2 + rank for rank, token in enumerate(ranked)}
    padded = [([numbers[token] for token in row] + [0] * length)[:length] for row in rows]
    np.testing.assert_array_equal(layer(texts), padded)
    back = StringLookup(vocabulary=layer.get_vocabulary(), mask_token="", invert=True)
    found = [[token.decode() for token in row] for row in back(layer(texts)).tolist()]
    assert found == [(row + [""] * length)[:length] for row in rows]


def test_copies_and_configs(tmp_path: Path) -> None:
    layer = _adapted(ngrams=(1, 2), max_tokens=5)
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        np.testing.assert_array_equal(twin(["a b c"]), layer(["a b c"]))
    config = layer.get_config()
    assert config["vocabulary"] is None
    assert config["vocabulary_size"] == 5
    same = TextVectorization.from_config({**config, "ngrams": [1, 2]})
    same.set_vocabulary(layer.get_vocabulary())
    np.testing.assert_array_equal(same(["a b c"]), layer(["a b c"]))
    letters = _adapted(["a\nb\u2028"], split="character", standardize=None)
    same = TextVectorization.from_config(letters.get_config())  # no lines of a file
    assert same.get_vocabulary() == ["", "[UNK]", "\u2028", "b", "a", "\n"]
    path = tmp_path / "vocabulary.txt"
    path.write_bytes("\n".join(layer.get_vocabulary()).encode())
    assert TextVectorization(vocabulary=path).get_vocabulary() == layer.get_vocabulary()
    with pytest.raises(ValueError, match="`vocabulary` in a config must be a list"):
        TextVectorization.from_config({**config, "vocabulary": str(path)})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"standardize": "upper"}, "`standardize` must be one of"),
        ({"split": "words"}, "`split` must be one of"),
        ({"ngrams": 0}, "`ngrams` must be a positive integer"),
        ({"ngrams": (1, 0.5)}, "`ngrams` must be a positive integer"),
        ({"output_mode": "one_hot"}, "`output_mode` of TextVectorization must be"),
        ({"output_mode": "x"}, "`output_mode` must be one of"),
        ({"output_sequence_length": 0}, "`output_sequence_length` must be a positive integer"),
        ({"output_mode": "count", "output_sequence_length": 3}, "must be left out"),
        ({"ragged": True}, "`ragged` of TextVectorization is not supported: numbers of shorter"),
        ({"sparse": True}, "`sparse` of TextVectorization is not supported"),
        ({"max_tokens": 1}, "`max_tokens` must be an integer >= 2"),
        ({"vocabulary": ["a", "a"]}, "must be different"),
        ({"encoding": 5}, "`encoding` must be the name of a text encoding"),
        ({"max_token": 5}, "Did you mean `max_tokens`"),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TextVectorization(**arguments)


def test_bad_data() -> None:
    layer = TextVectorization()
    with pytest.raises(ValueError, match="has no vocabulary yet: call `adapt` on some texts"):
        layer(["a"])
    with pytest.raises(TypeError, match="`data` must hold strings"):
        layer.adapt(np.zeros((3, 4)))
    with pytest.raises(TypeError, match="`data` must hold strings"):
        layer.adapt(iter([(["a text"], [1])]))
    with pytest.raises(ValueError, match="must hold at least one token"):
        layer.adapt(["", "  !"])
    with pytest.raises(ValueError, match="`steps` must be a positive integer"):
        layer.adapt(iter([["a"]]), steps=0)
    layer.adapt(DATA)
    with pytest.raises(ValueError, match=r"must have the shape \[batch\] or \[batch, 1\]"):
        layer([["a", "b"]])
    with pytest.raises(TypeError, match="`inputs` must hold strings"):
        layer([1, 2])
    with pytest.raises(ValueError, match="Layer 'words' was made with a `vocabulary`"):
        TextVectorization(vocabulary=["a"], name="words").adapt(["b"])
    for missing in (None, float("nan")):
        with pytest.raises(TypeError, match=r"Fill in missing texts first.* at position 1"):
            layer(np.array(["a", missing], dtype=object))
    with pytest.raises(ValueError, match="Did you mean `training`"):
        layer(["a"], trainin=True)
    assert layer(["a"], training=True).tolist() == [[5]]
    assert layer([]).shape == (0, 0)
    assert layer(np.zeros((0, 1), dtype=object)).shape == (0, 0)
