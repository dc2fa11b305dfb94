"""Samples that are drawn have the shapes, types and labels that they are said to have."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from comparison.made_up import (
    MadeUpData,
    PhraseData,
    RecordingData,
    Samples,
    SentenceData,
    SeriesData,
    TextData,
)

SERIES = SeriesData(steps=12, features=3)
RECORDING = RecordingData(steps=4, features=5, classes=3)
TEXT = TextData(steps=6, characters=9)
PHRASE = PhraseData(steps=5, characters=7, target_characters=9)
SENTENCE = SentenceData(vocabulary=50, steps=10, tags=5)


def arrays_of(samples: Samples) -> list[np.ndarray]:
    x, y = samples
    return [*(x if isinstance(x, list) else [x]), y]


@pytest.mark.parametrize(
    "data", [SERIES, RECORDING, TEXT, PHRASE, SENTENCE], ids=lambda data: data.note
)
def test_the_same_seed_draws_the_same_and_another_seed_others(data: MadeUpData) -> None:
    first, again, other = (data.draw(20, seed) for seed in (1, 1, 2))
    for a, b in zip(arrays_of(first), arrays_of(again), strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(arrays_of(first), arrays_of(other), strict=True):
        assert not np.array_equal(a, b)
        assert len(a) == 20


def test_a_series_goes_on_with_its_label() -> None:
    x, y = SERIES.draw(400, seed=1)
    assert x.shape == (400, 12, 3)
    assert x.dtype == y.dtype == np.float32
    assert y.shape == (400,)
    # The label is near the straight line through the last two steps, and nearer than to their mean.
    line = 2 * x[:, -1, 0] - x[:, -2, 0]
    assert np.abs(y - x[:, -1, 0]).mean() < 0.2
    assert np.corrcoef(y, line)[0, 1] > 0.9
    assert not np.allclose(x[:, :, 0], x[:, :, 1])


def test_recordings_of_a_class_are_like_each_other_whatever_the_seed() -> None:
    (x, classes), (other, other_classes) = (RECORDING.draw(300, seed) for seed in (1, 2))
    assert x.shape == (300, 4, 5)
    assert (x.dtype, classes.dtype) == (np.float32, np.int32)
    assert set(classes) == {0, 1, 2}
    means = np.stack([x[classes == each].mean(axis=0) for each in range(3)])
    distance = ((other[:, None] - means) ** 2).sum(axis=(2, 3))
    assert (distance.argmin(axis=1) == other_classes).mean() > 0.7  # by chance: a third


def test_text_is_one_hot_and_few_characters_follow_another() -> None:
    x, y = TEXT.draw(2000, seed=1)
    assert x.shape == (2000, 6, 9)
    assert (x.dtype, y.dtype) == (np.float32, np.int32)
    np.testing.assert_array_equal(x.sum(axis=2), 1.0)
    assert set(np.unique(x)) == {0.0, 1.0}
    characters = np.concatenate([x.argmax(axis=2), y[:, None]], axis=1)
    pairs = {(int(a), int(b)) for row in characters for a, b in pairwise(row)}
    assert all(sum(a == each for a, _ in pairs) <= 4 for each in range(9))


def test_a_translation_is_the_phrase_turned_around_in_other_characters() -> None:
    (phrases, before), labels = PHRASE.draw(500, seed=1)
    assert (phrases.shape, before.shape, labels.shape) == ((500, 5, 7), (500, 5, 9), (500, 5))
    assert (phrases.dtype, before.dtype, labels.dtype) == (np.float32, np.float32, np.int32)
    for one_hot in (phrases, before):
        np.testing.assert_array_equal(one_hot.sum(axis=2), 1.0)
        assert set(np.unique(one_hot)) == {0.0, 1.0}
    assert set(np.unique(phrases.argmax(axis=2))) == set(range(7))
    np.testing.assert_array_equal(before[:, 0].argmax(axis=1), 0)
    np.testing.assert_array_equal(before[:, 1:].argmax(axis=2), labels[:, :-1])
    assert labels.min() > 0
    turned = phrases[:, ::-1].argmax(axis=2)
    pairs = {*zip(turned.flat, labels.flat, strict=True)}
    assert len(pairs) == 7
    assert len({label for _, label in pairs}) > 3


def test_tags_follow_from_the_words_and_padding_comes_last() -> None:
    words, tags = SENTENCE.draw(3000, seed=1)
    assert words.shape == tags.shape == (3000, 10)
    assert words.dtype == tags.dtype == np.int32
    assert words.max() < 50
    assert set(np.unique(tags)) == set(range(5))
    np.testing.assert_array_equal(words == 0, tags == 0)
    assert (np.diff((words == 0).astype(int), axis=1) >= 0).all()
    assert (words[:, 0] > 0).all()
    before = np.concatenate([np.zeros((3000, 1), int), words[:, :-1]], axis=1)
    tag_of: dict[tuple[int, int], set[int]] = {}
    for pair in zip(before.flat, words.flat, tags.flat, strict=True):
        tag_of.setdefault(pair[:2], set()).add(pair[2])
    assert all(len(found) == 1 for found in tag_of.values())
    counts = np.bincount(words[words > 0])
    assert counts[1] > 3 * counts[10]
