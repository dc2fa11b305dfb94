"""CTC: its probability is the sum over all paths, its gradient that of the sum."""

from __future__ import annotations

import itertools
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import backend, layers, losses, models, ops
from fastrnn.variable import Variable

BATCH, STEPS, CLASSES, LABELS = 4, 6, 4, 3
RNG = np.random.default_rng(8)
LOGITS = (2 * RNG.normal(size=(BATCH, STEPS, CLASSES))).astype(np.float32)
# One sample with equal neighbours, one without labels.
TARGET = np.array([[1, 3, 2], [3, 3, 1], [0, 0, 0], [2, 1, 1]])
COUNTS = np.array([3, 3, 0, 2])
LENGTHS = np.array([6, 5, 3, 4])


def reading(path: tuple[int, ...], blank: int) -> tuple[int, ...]:
    runs = [label for label, _ in itertools.groupby(path)]
    return tuple(label for label in runs if label != blank)


def probabilities(logits: np.ndarray, blank: int) -> dict[tuple[int, ...], float]:
    """Return the probability of all that any path of a sample reads as, path by path."""
    powers = np.exp(logits.astype(np.float64))
    p = powers / powers.sum(axis=-1, keepdims=True)
    found: dict[tuple[int, ...], float] = {}
    for path in itertools.product(range(logits.shape[-1]), repeat=len(logits)):
        labels = reading(path, blank)
        of_path = float(np.prod([p[t, label] for t, label in enumerate(path)]))
        found[labels] = found.get(labels, 0.0) + of_path
    return found


def expected(logits: np.ndarray, blank: int = 0, target: np.ndarray = TARGET) -> np.ndarray:
    return np.array(
        [
            -np.log(probabilities(row[:steps], blank)[tuple(labels[:count])])
            for row, labels, count, steps in zip(logits, target, COUNTS, LENGTHS, strict=True)
        ]
    )


@pytest.mark.parametrize("blank", [0, 2, -1])
def test_the_probability_is_that_of_all_paths(blank: int) -> None:
    number = blank % CLASSES
    target = np.where(number >= TARGET, TARGET - 1, TARGET) if number else TARGET
    found = ops.ctc_loss(target, LOGITS, COUNTS, LENGTHS, mask_index=blank)
    np.testing.assert_allclose(found, expected(LOGITS, number, target), rtol=1e-5)


def test_gradients_are_central_differences() -> None:
    weights = np.array([1.0, -0.5, 2.0, 3.0], np.float32)
    variable = Variable(LOGITS)
    _, (gradient,) = fastrnn.value_and_gradients(
        lambda: ops.sum(ops.ctc_loss(TARGET, variable, COUNTS, LENGTHS) * weights), [variable]
    )
    for place in np.ndindex(LOGITS.shape):
        ends = []
        for step in (1e-4, -1e-4):
            moved = LOGITS.astype(np.float64)
            moved[place] += step
            ends.append(expected(moved) @ weights)
        assert gradient[place] == pytest.approx((ends[0] - ends[1]) / 2e-4, abs=2e-5)


def test_a_loss_takes_labels_up_to_the_first_zero_and_all_steps() -> None:
    target = np.array([[1, 3, 2], [3, 3, 0], [0, 0, 0], [2, 0, 0]])
    found = losses.CTC(reduction=None)(target, LOGITS)
    counts, steps = np.array([3, 2, 0, 1]), np.full(BATCH, STEPS)
    np.testing.assert_array_equal(found, ops.ctc_loss(target, LOGITS, counts, steps))
    np.testing.assert_array_equal(found, losses.ctc(target, LOGITS))
    weights = np.array([0.0, 1.0, 2.0, 0.5], np.float32)
    value, gradient = losses.CTC("sum").value_and_gradient(target, LOGITS, weights)
    assert value == pytest.approx(float(found @ weights), rel=1e-6)
    assert not gradient[0].any()
    np.testing.assert_allclose(gradient.sum(axis=-1), 0.0, atol=1e-6)  # softmax does not shift


def test_any_logits_give_finite_numbers() -> None:
    value, gradient = losses.CTC().value_and_gradient(TARGET[:1], 300 * LOGITS[:1])
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


def test_beam_search_finds_the_most_probable_labels() -> None:
    decoded, scores = ops.ctc_decode(LOGITS, LENGTHS, "beam_search", beam_width=200, top_paths=3)
    assert decoded.shape == (3, BATCH, STEPS)
    for sample, steps in enumerate(LENGTHS):
        ranked = sorted(probabilities(LOGITS[sample, :steps], 0).items(), key=lambda item: -item[1])
        for path, (labels, probability) in enumerate(ranked[:3]):
            rest = [-1] * (STEPS - len(labels))
            assert decoded[path, sample].tolist() == [*labels, *rest]
            assert scores[sample, path] == pytest.approx(np.log(probability), rel=1e-5)


@pytest.mark.parametrize("merge_repeated", [True, False])
def test_greedy_reads_the_most_probable_path(merge_repeated: bool) -> None:
    decoded, scores = ops.ctc_decode(LOGITS, LENGTHS, merge_repeated=merge_repeated, mask_index=1)
    for sample, steps in enumerate(LENGTHS):
        path = tuple(LOGITS[sample, :steps].argmax(axis=-1))
        labels = reading(path, 1) if merge_repeated else [each for each in path if each != 1]
        assert decoded[0, sample].tolist() == [*labels, *[-1] * (STEPS - len(labels))]
        assert scores[sample, 0] == pytest.approx(-LOGITS[sample, :steps].max(axis=-1).sum())


def test_the_older_names_take_probabilities_with_the_blank_last() -> None:
    p = ops.softmax(LOGITS)
    found = backend.ctc_batch_cost(TARGET - 1, p, LENGTHS[:, None], COUNTS[:, None])
    turned = np.roll(LOGITS, 1, axis=-1)  # the last class, the blank, first
    wanted = ops.ctc_loss(TARGET, turned, COUNTS, LENGTHS)
    np.testing.assert_allclose(found[:, 0], wanted, rtol=1e-4)  # they add 1e-7 to p
    for greedy in (True, False):
        (labels,), _ = backend.ctc_decode(p, LENGTHS, greedy=greedy)
        name = "greedy" if greedy else "beam_search"
        of_logits = ops.ctc_decode(turned, LENGTHS, name)[0][0]
        np.testing.assert_array_equal(labels, np.where(of_logits > 0, of_logits - 1, -1))


def test_a_model_learns_to_read() -> None:
    """Each of three labels shows its own vector for some steps, in noise; nobody says for which."""
    fastrnn.utils.set_random_seed(3)
    rng = np.random.default_rng(5)
    labels = np.stack([rng.permutation(4)[:3] + 1 for _ in range(64)])
    spans = np.sort(np.concatenate([np.tile([0, 1, 2], (64, 1)), rng.integers(0, 3, (64, 9))], 1))
    x = np.eye(5)[np.take_along_axis(labels, spans, axis=1)] + 0.2 * rng.normal(size=(64, 12, 5))
    model = models.Sequential(
        [layers.Bidirectional(layers.LSTM(16, return_sequences=True)), layers.Dense(5)]
    )
    model.compile(fastrnn.optimizers.Adam(0.02), losses.CTC())
    history = model.fit(x, labels, batch_size=16, epochs=30, verbose=0).history["loss"]
    assert history[-1] < 0.2 * history[0]
    (decoded,), _ = ops.ctc_decode(model.predict(x, verbose=0), np.full(64, 12))
    assert np.mean(np.all(decoded[:, :3] == labels, axis=1)) > 0.8


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": np.array([[3, 3, 3]])}, "need a step each.*3 labels, 2 .* and 4 steps"),
        ({"target": np.array([[1, 0, 2]])}, "other than the blank 0.*Received: 0"),
        ({"target": np.array([[1, 2, 4]])}, r"class numbers in \[0, 4\).*Received: 4"),
        ({"target": np.array([1, 2, 3])}, "`output` must have shape"),
        ({"output": LOGITS[0]}, "`output` must have shape"),
        ({"target_length": np.array([4])}, r"`target_length` must have a number in \[0, 3\]"),
        ({"output_length": np.array([0])}, r"`output_length` must have a number in \[1, 4\]"),
        ({"output_length": np.array([4, 4])}, "for each of 1 samples"),
        ({"mask_index": 4}, "`mask_index` must be one of 4 classes"),
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, Any], message: str) -> None:
    given = {
        "target": np.array([[1, 2, 3]]),
        "output": LOGITS[:1, :4],
        "target_length": np.array([3]),
        "output_length": np.array([4]),
    }
    with pytest.raises(ValueError, match=message):
        ops.ctc_loss(**given | change)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.ones((8, 4)), "need a step each"),
        (np.full((8, 2), 5), "class numbers"),
        (np.full((8, 2), 1.5), "integral"),
        (np.ones((8, 2, 1)), r"\[batch, labels\]"),
    ],
)
def test_labels_are_looked_at_before_training(labels: np.ndarray, message: str) -> None:
    model = models.Sequential([layers.GRU(3, return_sequences=True)])
    model.compile("sgd", "ctc")
    with pytest.raises(ValueError, match=message):
        model.fit(np.ones((8, 6, 2), np.float32), labels, verbose=0)


def test_a_mask_is_refused() -> None:
    mask = np.ones((BATCH, STEPS), bool)
    with pytest.raises(ValueError, match="mask of `y_pred`"):
        losses.CTC().value_and_gradient(np.ones((BATCH, 1)), LOGITS, mask=mask)


def test_other_decoding_is_refused() -> None:
    with pytest.raises(ValueError, match="`strategy`"):
        ops.ctc_decode(LOGITS, LENGTHS, "best")
    with pytest.raises(ValueError, match="`inputs`"):
        ops.ctc_decode(LOGITS[0], LENGTHS)
