"""The generated reviews have the statistics that a training step's cost depends on."""

from __future__ import annotations

import numpy as np
import pytest
from comparison.reviews import OUT_OF_VOCABULARY, START_TOKEN, imdb_like_reviews

VOCABULARY = 10_000


@pytest.fixture(scope="module")
def corpus() -> tuple[list[np.ndarray], np.ndarray]:
    return imdb_like_reviews(4_000, VOCABULARY, seed=3)


def test_lengths_are_those_of_imdb(corpus: tuple[list[np.ndarray], np.ndarray]) -> None:
    lengths = np.array([len(review) for review in corpus[0]])
    assert np.median(lengths) == pytest.approx(179, rel=0.06)
    assert lengths.mean() == pytest.approx(239, rel=0.06)
    for steps, share in ((100, 0.965), (200, 0.805), (300, 0.644)):
        assert np.minimum(lengths, steps).mean() / steps == pytest.approx(share, abs=0.02)


@pytest.mark.parametrize(("batch", "steps", "distinct"), [(64, 200, 2222), (128, 300, 3719)])
def test_a_batch_holds_about_as_many_distinct_tokens_as_one_of_imdb(
    corpus: tuple[list[np.ndarray], np.ndarray], batch: int, steps: int, distinct: int
) -> None:
    counts = [
        len(np.unique(np.concatenate([review[-steps:] for review in corpus[0][first:][:batch]])))
        for first in range(0, 2_000, batch)
    ]
    assert np.mean(counts) == pytest.approx(distinct, rel=0.15)


def test_tokens_follow_the_conventions_of_the_keras_data_set(
    corpus: tuple[list[np.ndarray], np.ndarray],
) -> None:
    reviews, labels = corpus
    tokens = np.concatenate([review[1:] for review in reviews])
    assert {int(review[0]) for review in reviews} == {START_TOKEN}
    assert tokens.min() == OUT_OF_VOCABULARY
    assert tokens.max() < VOCABULARY
    assert 3 not in tokens
    assert set(labels) == {0, 1}
    assert labels.mean() == pytest.approx(0.5, abs=0.05)


def test_the_sentiment_can_be_learned(corpus: tuple[list[np.ndarray], np.ndarray]) -> None:
    reviews, labels = corpus
    counts = np.stack([np.bincount(review, minlength=VOCABULARY) for review in reviews])
    known, unknown = slice(0, 3_000), slice(3_000, None)
    praise, blame = (counts[known][labels[known] == label].sum(axis=0) + 1 for label in (1, 0))
    scores = counts[unknown] @ np.log(praise / praise.sum() * blame.sum() / blame)
    # Naive Bayes; the same on as many reviews of IMDB: 0.82.
    assert np.mean((scores > 0) == (labels[unknown] == 1)) > 0.8


def test_a_seed_gives_the_same_reviews() -> None:
    first, again, other = (imdb_like_reviews(20, VOCABULARY, seed) for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first[0], again[0], strict=True))
    assert np.array_equal(first[1], again[1])
    assert any(not np.array_equal(a, b) for a, b in zip(first[0], other[0], strict=True))
