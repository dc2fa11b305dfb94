"""Samples that are drawn: series of numbers, recordings, text, phrases, tagged sentences.

Each kind is a class with `steps`, `note` and `draw`. The labels depend on the inputs, so that
losses fall as they do on real data; what a step costs depends on the shapes alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

# The inputs of a model: an array, or an array for each input.
Inputs = np.ndarray | list[np.ndarray]
Samples = tuple[Inputs, np.ndarray]


class MadeUpData(Protocol):
    """Samples that are drawn from a generator of random numbers."""

    steps: int

    @property
    def note(self) -> str:
        """What a batch is, in a few words."""

    def draw(self, samples: int, seed: int) -> Samples:
        """Draws inputs, each [samples, steps, ...], and labels [samples, ...].

        Sequences of different seeds belong to the same problem: the numbers that define it are
        drawn from `PROBLEM_SEED`.
        """


PROBLEM_SEED = 20_251_127


@dataclass(frozen=True)
class SeriesData:
    """Windows of several series, each with the value of the first that follows.

    A series is a sum of two waves and noise, as daily temperatures or hourly loads are.

    Args:
        steps: Length of a window.
        features: Number of series.
    """

    steps: int
    features: int

    @property
    def note(self) -> str:
        """What a batch is, in a few words."""
        return f"windows of {self.features} series"

    def draw(self, samples: int, seed: int) -> Samples:
        """Draws windows [samples, steps, features] and labels [samples], float32."""
        problem, generator = np.random.default_rng(PROBLEM_SEED), np.random.default_rng(seed)
        time = (
            generator.uniform(0.0, 10_000.0, (samples, 1, 1)) + np.arange(self.steps + 1)[:, None]
        )
        values = generator.normal(0.0, 0.05, (samples, self.steps + 1, self.features))
        for period in problem.uniform(10.0, 60.0, (2, self.features)):
            values += 0.3 * np.sin(2.0 * np.pi / period * time)
        values = values.astype(np.float32)
        return np.ascontiguousarray(values[:, :-1]), np.ascontiguousarray(values[:, -1, 0])


@dataclass(frozen=True)
class RecordingData:
    """Recordings of many sensors at once, each of one class: positions of a body's joints.

    Args:
        steps: Length of a recording.
        features: Number of sensors.
        classes: Number of classes.
    """

    steps: int
    features: int
    classes: int

    @property
    def note(self) -> str:
        """What a batch is, in a few words."""
        return f"recordings of {self.features} sensors"

    def draw(self, samples: int, seed: int) -> Samples:
        """Draws recordings [samples, steps, features] float32 and classes [samples] int32."""
        problem, generator = np.random.default_rng(PROBLEM_SEED), np.random.default_rng(seed)
        shape = (self.steps, self.features)
        movements = problem.random((self.classes, *shape), dtype=np.float32)
        classes = generator.integers(0, self.classes, samples).astype(np.int32)
        noise = generator.random((samples, *shape), dtype=np.float32)
        return 0.3 * movements[classes] + 0.7 * noise - 0.5, classes  # around zero


@dataclass(frozen=True)
class TextData:
    """Pieces of text, one-hot, each with the character that follows.

    Each character is one of the four that may follow the one before.

    Args:
        steps: Characters in a piece.
        characters: Number of different characters.
    """

    steps: int
    characters: int

    @property
    def note(self) -> str:
        """What a batch is, in a few words."""
        return f"one-hot text of {self.characters} characters"

    def draw(self, samples: int, seed: int) -> Samples:
        """Draws pieces [samples, steps, characters] float32 and next characters [samples] int32."""
        problem, generator = np.random.default_rng(PROBLEM_SEED), np.random.default_rng(seed)
        followers = problem.integers(0, self.characters, (self.characters, 4))
        text = np.empty((samples, self.steps + 1), np.int32)
        text[:, 0] = generator.integers(0, self.characters, samples)
        for step in range(self.steps):
            text[:, step + 1] = followers[text[:, step], generator.integers(0, 4, samples)]
        return _one_hot(text[:, :-1], self.characters), np.ascontiguousarray(text[:, -1])


def _one_hot(ids: np.ndarray, size: int) -> np.ndarray:
    """[samples, steps] of int as [samples, steps, size] of float32."""
    one_hot = np.zeros((*ids.shape, size), np.float32)
    np.put_along_axis(one_hot, ids[..., None], 1.0, axis=2)
    return one_hot


@dataclass(frozen=True)
class PhraseData:
    """Phrases and their translations, character by character.

    Each phrase has an alphabet of its own language, and its translation is the phrase turned
    around, with each character replaced by one of the other language. Character 0 begins each
    translation. The first input is the phrase; the second is its translation shifted by one step
    (teacher forcing); the labels are the translation.

    Args:
        steps: Characters in a phrase, and in its translation.
        characters: Number of different characters in phrases.
        target_characters: The same for translations, the one that begins them included.
    """

    steps: int
    characters: int
    target_characters: int

    @property
    def note(self) -> str:
        """What a batch is, in a few words."""
        return (
            f"one-hot phrases of {self.characters} characters, and translations of "
            f"{self.target_characters}"
        )

    def draw(self, samples: int, seed: int) -> Samples:
        """Draws the two inputs, one-hot float32, and the labels [samples, steps] int32."""
        problem, generator = np.random.default_rng(PROBLEM_SEED), np.random.default_rng(seed)
        translated = problem.integers(1, self.target_characters, self.characters)
        phrases = generator.integers(0, self.characters, (samples, self.steps))
        labels = translated[phrases[:, ::-1]]
        before = np.concatenate([np.zeros((samples, 1), labels.dtype), labels[:, :-1]], axis=1)
        inputs = [
            _one_hot(phrases, self.characters),
            _one_hot(before, self.target_characters),
        ]
        return inputs, labels.astype(np.int32)


@dataclass(frozen=True)
class SentenceData:
    """Sentences of words, each word with a tag; padded at the end with word 0 and tag 0.

    A word is as frequent as its rank lets expect (Zipf). Its tag depends on it and on the word
    before.

    Args:
        vocabulary: Number of distinct words, the padding included.
        steps: Words of the longest sentence.
        tags: Number of tags, that of the padding included.
    """

    vocabulary: int
    steps: int
    tags: int

    @property
    def note(self) -> str:
        """What a batch is, in a few words."""
        return f"sentences with {self.tags} tags, post-padded"

    def draw(self, samples: int, seed: int) -> Samples:
        """Draws words and tags, both [samples, steps] int32."""
        problem, generator = np.random.default_rng(PROBLEM_SEED), np.random.default_rng(seed)
        frequency = 1.0 / np.arange(1, self.vocabulary)
        shape = (samples, self.steps)
        words = 1 + generator.choice(self.vocabulary - 1, shape, p=frequency / frequency.sum())
        kind = problem.integers(0, self.tags - 1, self.vocabulary)
        before = np.concatenate([np.zeros((samples, 1), np.int64), words[:, :-1]], axis=1)
        tags = 1 + (kind[words] + kind[before] // 2) % (self.tags - 1)
        length = generator.integers(self.steps // 5, self.steps + 1, (samples, 1))
        padding = np.arange(self.steps) >= length
        words[padding] = tags[padding] = 0
        return words.astype(np.int32), tags.astype(np.int32)
