"""A generator of reviews that look like IMDB's to a recurrent network and to its cost.

The cost of a training step depends on three statistics of the reviews: their lengths (how much of
a batch is padding), the frequencies of their words (how many distinct tokens a batch holds), and
whether the labels can be learned (untrained networks have other gradients than trained ones).
The generator follows the published training set of IMDB in the first two and makes the third so.
"""

from __future__ import annotations

import numpy as np

# Words per review at these shares of the training set (25,000 reviews, mean 239, median 178).
LENGTH_SHARES = (0.0, 0.01, 0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 0.99, 0.999, 1.0)
LENGTH_WORDS = (11, 44, 66, 93, 130, 178, 291, 467, 610, 926, 1100, 2494)

# Zipf's law with the head and the tail of English reviews: the word of rank r is drawn with a
# probability in proportion to 1 / ((r + HEAD) * (1 + r / TAIL)).
DISTINCT_WORDS = 88_584
HEAD = 1.1
TAIL = 6_750.0

# Every POLAR_STRIDE-th rank of POLAR_RANKS is a word of praise, the rank after it its counterpart
# of blame; a polar word agrees with the label of its review in this share of cases.
POLAR_RANKS = range(100, 1000)
POLAR_STRIDE = 8
POLAR_AGREES = 0.7

# The token ids of the Keras data set: 1 starts a review, 2 stands for words left out of the
# vocabulary, and the most frequent word is 1 + INDEX_FROM.
START_TOKEN = 1
OUT_OF_VOCABULARY = 2
INDEX_FROM = 3


def imdb_like_reviews(
    samples: int, vocabulary: int, seed: int
) -> tuple[list[np.ndarray], np.ndarray]:
    """Draws reviews and their labels.

    Args:
        samples: Number of reviews.
        vocabulary: Tokens from this id on become the out-of-vocabulary token.
        seed: The same seed gives the same reviews.

    Returns:
        A list of `samples` one-dimensional int32 arrays of tokens, each starting with the start
        token, and an int64 array of as many labels: 1 for praise, 0 for blame.
    """
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 2, size=samples)
    log_words = np.interp(generator.random(samples), LENGTH_SHARES, np.log(LENGTH_WORDS))
    lengths = np.rint(np.exp(log_words)).astype(np.int64)

    ranks = np.arange(1, DISTINCT_WORDS + 1)
    cumulative = np.cumsum(1.0 / ((ranks + HEAD) * (1.0 + ranks / TAIL)))
    draws = generator.random(int(lengths.sum())) * cumulative[-1]
    words = np.minimum(np.searchsorted(cumulative, draws), DISTINCT_WORDS - 1) + 1

    offset = (words - POLAR_RANKS.start) % POLAR_STRIDE
    polar = (words >= POLAR_RANKS.start) & (words < POLAR_RANKS.stop) & (offset <= 1)
    agrees = generator.random(len(words)) < POLAR_AGREES
    praise = np.repeat(labels == 1, lengths) == agrees
    words = np.where(polar, words - offset + np.where(praise, 0, 1), words)

    tokens = (words + INDEX_FROM).astype(np.int32)
    tokens[tokens >= vocabulary] = OUT_OF_VOCABULARY
    ends = np.cumsum(lengths)
    start = np.array([START_TOKEN], dtype=np.int32)
    reviews = [
        np.concatenate((start, tokens[end - length : end]))
        for end, length in zip(ends, lengths, strict=True)
    ]
    return reviews, labels
