"""The tokenizer does what the one of tf.keras did; Keras 3 still ships that one for old imports."""

from __future__ import annotations

import importlib
import json
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from fastrnn.preprocessing import text

TEXTS = [
    "The cat sat on the mat. The mat, the cat!",
    "A dog's bone\tlay on\nthe mat -- the DOG slept.",
    "",
    "cat DOG bone <unk> cat; ünïcode Straße straße",
    ["The", "cat", "of", "lists"],
    "one two two three three three",
]
UNSEEN = ["The unseen cat met a <unk> dog", "", ["cat", "Zebra"], "zebra"]
CONFIGS: list[dict[str, Any]] = [
    {},
    {"num_words": 5},
    {"num_words": 1, "oov_token": "?"},
    {"oov_token": "<UNK>"},
    {"num_words": 6, "oov_token": "<unk>"},
    {"lower": False, "num_words": 8},
    {"filters": "", "split": "t"},
    {"filters": ".,!", "split": "--"},
    {"char_level": True},
    {"char_level": True, "lower": False, "oov_token": "#", "num_words": 7},
    {"analyzer": str.split, "oov_token": "<unk>"},
    {"num_words": 0, "document_count": 3},
]


@pytest.fixture(scope="session")
def legacy(keras: ModuleType) -> ModuleType:
    return importlib.import_module("keras.src.legacy.preprocessing.text")


def fitted(module: ModuleType, config: dict[str, Any]) -> Any:
    tokenizer = module.Tokenizer(**config)
    tokenizer.fit_on_texts(TEXTS[:4])
    tokenizer.fit_on_texts(iter(TEXTS[4:]))
    return tokenizer


def assert_same_state(got: Any, want: Any) -> None:
    for name in ("word_index", "index_word", "word_docs", "index_docs", "document_count"):
        assert getattr(got, name) == getattr(want, name), name
    assert list(got.word_counts.items()) == list(want.word_counts.items())
    assert list(got.word_index) == list(want.word_index)


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_tokenizer(config: dict[str, Any], legacy: ModuleType) -> None:
    got, want = fitted(text, config), fitted(legacy, config)
    assert_same_state(got, want)
    for texts in (TEXTS, UNSEEN):
        sequences = want.texts_to_sequences(texts)
        assert got.texts_to_sequences(texts) == sequences
        assert list(got.texts_to_sequences_generator(texts)) == sequences
        assert got.sequences_to_texts(sequences) == want.sequences_to_texts(sequences)
        for mode in ("binary", "count", "freq", "tfidf"):
            matrix = got.texts_to_matrix(texts, mode)
            assert matrix.dtype == np.float64
            np.testing.assert_allclose(matrix, want.texts_to_matrix(texts, mode), rtol=1e-14)
    numbers = [[0, 1, 2, 500], [7, 5, 6], np.array([3, 4], np.int32), []]
    assert got.sequences_to_texts(numbers) == want.sequences_to_texts(numbers)
    assert list(got.sequences_to_texts_generator(numbers)) == want.sequences_to_texts(numbers)


@pytest.mark.parametrize("config", CONFIGS[:-2], ids=str)
def test_json_goes_both_ways(config: dict[str, Any], legacy: ModuleType) -> None:
    got, want = fitted(text, config), fitted(legacy, config)
    configs = [json.loads(each.to_json())["config"] for each in (got, want)]
    assert list(configs[0]) == list(configs[1])
    for ours, theirs in zip(configs[0].values(), configs[1].values(), strict=True):
        if isinstance(ours, str) and ours.startswith("{"):
            ours, theirs = json.loads(ours), json.loads(theirs)
        assert ours == theirs
    assert "\n" in got.to_json(indent=2)
    for each in (got, want):
        again = text.tokenizer_from_json(each.to_json())
        assert_same_state(again, want)
        assert again.texts_to_sequences(UNSEEN) == want.texts_to_sequences(UNSEEN)
        again.fit_on_texts(["cat new words"])
        more = fitted(text, config)
        more.fit_on_texts(["cat new words"])
        assert_same_state(again, more)
    legacy.tokenizer_from_json(got.to_json()).texts_to_sequences(UNSEEN)


def test_sequences_alone(legacy: ModuleType) -> None:
    sequences = [[1, 2, 2, 5], [2, 9], [1]]
    got, want = text.Tokenizer(num_words=6), legacy.Tokenizer(num_words=6)
    for tokenizer in (got, want):
        tokenizer.fit_on_sequences(sequences)
    assert_same_state(got, want)
    for mode in ("freq", "tfidf"):
        np.testing.assert_allclose(
            got.sequences_to_matrix(sequences, mode),
            want.sequences_to_matrix(sequences, mode),
            rtol=1e-14,
        )


def test_words_may_be_added_by_hand(legacy: ModuleType) -> None:
    """Scripts name the padding themselves, or cut `word_index`."""
    got, want = fitted(text, {"oov_token": "<unk>"}), fitted(legacy, {"oov_token": "<unk>"})
    for tokenizer in (got, want):
        tokenizer.word_index = {w: n for w, n in tokenizer.word_index.items() if n < 5}
        tokenizer.index_word[0] = "<pad>"
    assert got.texts_to_sequences(TEXTS) == want.texts_to_sequences(TEXTS)
    assert got.sequences_to_texts([[0, 1, 6]]) == want.sequences_to_texts([[0, 1, 6]])


def test_a_string_is_a_list_of_characters(legacy: ModuleType) -> None:
    got, want = text.Tokenizer(char_level=True), legacy.Tokenizer(char_level=True)
    for tokenizer in (got, want):
        tokenizer.fit_on_texts("To be or not to be")
    assert_same_state(got, want)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"lower": False},
        {"filters": "aeiou"},
        {"split": "-", "filters": " "},
        {"split": "::", "filters": ". "},
    ],
    ids=str,
)
def test_words(arguments: dict[str, Any], legacy: ModuleType) -> None:
    for given in ("The Cat - sat;\ton a mat.", "", "a--b c..d E"):
        want = legacy.text_to_word_sequence(given, **arguments)
        assert text.text_to_word_sequence(given, **arguments) == want
        assert text.one_hot(given, 50, **arguments) == legacy.one_hot(given, 50, **arguments)
        for function in (None, "md5", len):
            got = text.hashing_trick(given, 20, function, **arguments)
            assert got == legacy.hashing_trick(given, 20, function, **arguments)
    got = text.hashing_trick("a b", 20, "md5", analyzer=list)
    assert got == legacy.hashing_trick("a b", 20, "md5", analyzer=list)


def test_nb_words_is_an_old_name() -> None:
    with pytest.warns(UserWarning, match="`num_words`"):
        assert text.Tokenizer(nb_words=7).num_words == 7


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"num_word": 3}, r"Did you mean `num_words`\?.*Received: num_word=3"),
        ({"num_words": -3}, "`num_words` must be a positive integer.*-3"),
        ({"num_words": 2.5}, "`num_words` must be a positive integer"),
        ({"split": ""}, "`split`"),
    ],
)
def test_refused_arguments(config: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        text.Tokenizer(**config)


WRONG_CONFIGS: tuple[dict[str, Any], ...] = (
    {"word_counts": 3}, {"word_counts": "[]"}, {"index_word": '{"x": "y"}'}, {"split": ""},
    {"x": 1},
)  # fmt: skip


def test_refused_data() -> None:
    tokenizer = text.Tokenizer()
    with pytest.raises(TypeError, match=r"`texts` must hold strings.*nan at position 1"):
        tokenizer.fit_on_texts(["fine", np.nan])
    assert not tokenizer.word_counts
    assert not tokenizer.document_count
    with pytest.raises(ValueError, match="`fit_on_texts` first"):
        tokenizer.texts_to_matrix(["a"])
    with pytest.raises(ValueError, match=r"`mode` must be one of .*Received: mode='tf'"):
        tokenizer.texts_to_matrix(["a"], mode="tf")
    with pytest.raises(ValueError, match="before `mode='tfidf'`"):
        text.Tokenizer(num_words=3).sequences_to_matrix([[1]], mode="tfidf")
    with pytest.raises(TypeError, match="`input_text` must be a string"):
        text.text_to_word_sequence(3)
    with pytest.raises(ValueError, match="`n` must be an integer >= 2"):
        text.one_hot("a", 1)
    with pytest.raises(ValueError, match="`hash_function`"):
        text.hashing_trick("a", 5, "sha")
    good = json.loads(text.Tokenizer().to_json())["config"]
    for bad in (
        "{}", "no JSON", '{"config": "no config"}', "[" * 200_000,
        *(json.dumps({"config": {**good, **wrong}}) for wrong in WRONG_CONFIGS),
    ):  # fmt: skip
        with pytest.raises(ValueError, match="`json_string`"):
            text.tokenizer_from_json(bad)
