"""Connectionist temporal classification (CTC): sequences of labels without their times.

A model scores at each step the classes and a blank. A path is one class or blank per step. It reads
as the labels that are left when runs of the same class are one and blanks are taken out. The
probability of labels is that of all paths that read so.

References:
    Graves, Fernández, Gomez & Schmidhuber (2006), "Connectionist temporal classification: labelling
    unsegmented sequence data with recurrent neural networks", equations 5 to 16.
    Hannun, Maas, Jurafsky & Ng (2014), "First-pass large vocabulary continuous speech recognition
    using bi-directional recurrent DNNs", algorithm 1: prefix beam search.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

from fastrnn.ops.describing import as_array, as_float, op
from fastrnn.tracing import native, plain


@op(
    "Minus the logarithm of the probability of labels, by connectionist temporal classification.",
    "ops.ctc_loss([[1]], [[[0.0, 0.0], [0.0, 0.0]]], [1], [2])",
    "array([0.2876821], dtype=float32)",
    raises="ValueError: If shapes do not fit, or labels need more steps than there are.",
    target="Class numbers, shape [batch, labels].",
    output="Logits, shape [batch, steps, classes].",
    target_length="How many labels of each sample count, shape [batch].",
    output_length="How many steps of each sample count, shape [batch].",
    mask_index="The class that is the blank.",
)
def ctc_loss(
    target: Any, output: Any, target_length: Any, output_length: Any, mask_index: int = 0
) -> Any:
    labels, counts, steps = map(_integers, (target, target_length, output_length))
    logits = as_float(output)
    shape = np.shape(plain(logits))
    if len(shape) != 3:
        raise ValueError(_SHAPES.format(shape, labels.shape))
    _check_lengths("output_length", steps, shape[0], 1, shape[1])
    blank = _blank_of(mask_index, shape[2])
    check_labels(labels, shape, counts, steps, blank)

    def forward(logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return loss_and_gradient(labels, logits, counts, steps, blank)

    def backward(gradient: np.ndarray, d: Any) -> list[np.ndarray]:
        return [gradient * np.asarray(d, np.float32)[:, np.newaxis, np.newaxis]]

    return native(forward, backward, logits)


_SHAPES = (
    "`output` must have shape [batch, steps, classes] and `target` [batch, labels]. "
    "Received: output.shape={}, target.shape={}"
)


def _integers(values: Any) -> np.ndarray:
    return np.asarray(plain(as_array(values)), np.int64)


def _check_lengths(name: str, lengths: np.ndarray, batch: int, least: int, most: int) -> None:
    if lengths.shape != (batch,) or np.any((lengths < least) | (lengths > most)):
        raise ValueError(
            f"`{name}` must have a number in [{least}, {most}] for each of {batch} samples. "
            f"Received: {lengths.tolist()}"
        )


def _blank_of(mask_index: int, classes: int) -> int:
    """Return the number of the blank; negative ones count from the last class."""
    if not -classes <= mask_index < classes:
        raise ValueError(
            f"`mask_index` must be one of {classes} classes. Received: mask_index={mask_index}"
        )
    return mask_index % classes


def check_labels(
    labels: np.ndarray,
    shape: tuple[int, ...],
    counts: np.ndarray,
    steps: np.ndarray,
    blank: int,
) -> None:
    """Refuse labels that the output cannot be.

    Args:
        labels: Class numbers, shape [batch, labels].
        shape: Shape of the logits, [batch, steps, classes].
        counts: How many labels of each sample count.
        steps: How many steps of each sample count.
        blank: The class that is the blank.

    Raises:
        ValueError: Says what was expected and received.
    """
    batch, _, classes = shape
    if labels.ndim != 2 or len(labels) != batch:
        raise ValueError(_SHAPES.format(shape, labels.shape))
    _check_lengths("target_length", counts, batch, 0, labels.shape[1])
    counted = np.arange(labels.shape[1]) < counts[:, np.newaxis]
    bad = labels[counted & ((labels < 0) | (labels >= classes) | (labels == blank))]
    if bad.size:
        raise ValueError(
            f"`target` must hold class numbers in [0, {classes}) other than the blank {blank}. "
            f"Received: {bad[0]}"
        )
    # Between two equal labels there must be a blank.
    repeats = np.sum((labels[:, 1:] == labels[:, :-1]) & counted[:, 1:], axis=1)
    short = np.flatnonzero(counts + repeats > steps)
    if short.size:
        first = short[0]
        raise ValueError(
            "Labels need a step each, and one more between two that are equal. Received for sample "
            f"{first}: {counts[first]} labels, {repeats[first]} of them like the one before, and "
            f"{steps[first]} steps"
        )


def loss_and_gradient(
    labels: np.ndarray, logits: np.ndarray, counts: np.ndarray, steps: np.ndarray, blank: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return minus the log-probability of the labels, and its derivative, computed in float64.

    Args:
        labels: Class numbers, shape [batch, labels].
        logits: Float32, shape [batch, steps, classes].
        counts: How many labels of each sample count; they have passed `check_labels`.
        steps: How many steps of each sample count.
        blank: The class that is the blank.

    Returns:
        Float32 arrays of shapes [batch] and [batch, steps, classes].
    """
    batch, longest, classes = logits.shape
    log_p = _log_softmax(logits.astype(np.float64))
    counted = np.arange(labels.shape[1]) < counts[:, np.newaxis]
    # A path goes through blank, label, blank, label, ..., blank: S = 2 labels + 1 places.
    places = np.full((batch, 2 * labels.shape[1] + 1), blank)
    places[:, 1::2] = np.where(counted, labels, blank)
    emitted = np.take_along_axis(log_p, places[:, np.newaxis, :], axis=2)  # [batch, steps, S]
    # The blank between two labels may be left out where these differ.
    skips = np.full(places.shape, -np.inf)
    skips[:, 2:][(places[:, 2:] != places[:, :-2]) & (places[:, 2:] != blank)] = 0.0
    last = 2 * counts  # the place of the last blank
    before_end = last[:, np.newaxis] - np.arange(places.shape[1])
    ends = (before_end == 0) | (before_end == 1)
    log_ends = np.where(ends, 0.0, -np.inf)

    # Forward: paths up to a step that are at a place there. [steps, batch, S]
    alpha = np.full((longest, *places.shape), -np.inf)
    alpha[0, :, :2] = emitted[:, 0, :2]
    for t in range(1, longest):
        before = alpha[t - 1]
        arriving = before.copy()
        arriving[:, 1:] = np.logaddexp(arriving[:, 1:], before[:, :-1])
        arriving[:, 2:] = np.logaddexp(arriving[:, 2:], before[:, :-2] + skips[:, 2:])
        alpha[t] = arriving + emitted[:, t]

    # Backward: how they go on after the step, up to an end.
    beta = np.full_like(alpha, -np.inf)
    for t in reversed(range(longest)):
        if t + 1 < longest:
            after = beta[t + 1] + emitted[:, t + 1]
            leaving = after.copy()
            leaving[:, :-1] = np.logaddexp(leaving[:, :-1], after[:, 1:])
            leaving[:, :-2] = np.logaddexp(leaving[:, :-2], after[:, 2:] + skips[:, 2:])
            beta[t] = leaving
        beta[t] = np.where((steps == t + 1)[:, np.newaxis], log_ends, beta[t])

    log_total = np.logaddexp.reduce(alpha[0] + beta[0], axis=-1)
    # The probability to be at a place at a step, given the labels; summed by class.
    at_place = np.exp(alpha + beta - log_total[:, np.newaxis]).swapaxes(0, 1)
    rows = np.arange(batch * longest).reshape(batch, longest, 1) * classes
    at_class = np.bincount(
        (rows + places[:, np.newaxis, :]).ravel(), at_place.ravel(), minlength=logits.size
    )
    inside = np.arange(longest) < steps[:, np.newaxis]
    gradient = (np.exp(log_p) - at_class.reshape(logits.shape)) * inside[..., np.newaxis]
    return -log_total.astype(np.float32), gradient.astype(np.float32)


@op(
    "The most probable labels by connectionist temporal classification, [paths, batch, steps], and "
    "-1 behind the last; and scores [batch, paths]: of beam search log-probabilities, of greedy "
    "minus the sum of the largest logits, as in Keras.",
    "ops.ctc_decode([[[0.0, 3.0], [0.0, 3.0], [3.0, 0.0]]], [3])[0]",
    "array([[[ 1, -1, -1]]], dtype=int32)",
    raises="ValueError: If shapes do not fit or the strategy is unknown.",
    inputs="Logits, shape [batch, steps, classes].",
    sequence_lengths="How many steps of each sample count, shape [batch].",
    strategy='"greedy" reads the most probable path, "beam_search" looks for the labels.',
    beam_width="How many beginnings beam search keeps.",
    top_paths="How many results beam search gives.",
    merge_repeated="Whether greedy reads runs of a class as one label.",
    mask_index="The class that is the blank.",
)
def ctc_decode(
    inputs: Any,
    sequence_lengths: Any,
    strategy: str = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int = 0,
) -> Any:
    logits = plain(as_float(inputs))
    steps = _integers(sequence_lengths)
    if logits.ndim != 3:
        raise ValueError(
            "`inputs` must have shape [batch, steps, classes]. "
            f"Received: inputs.shape={logits.shape}"
        )
    batch, longest, classes = logits.shape
    _check_lengths("sequence_lengths", steps, batch, 1, longest)
    blank = _blank_of(mask_index, classes)
    if strategy == "greedy":
        return _most_probable_paths(logits, steps, blank, merge_repeated)
    if strategy != "beam_search":
        raise ValueError(
            f"`strategy` must be 'greedy' or 'beam_search'. Received: strategy={strategy!r}"
        )
    decoded = np.full((top_paths, batch, longest), -1, np.int32)
    scores = np.full((batch, top_paths), -np.inf, np.float32)
    log_p = _log_softmax(logits.astype(np.float64))
    for sample, count in enumerate(steps):
        beams = _beams(log_p[sample, :count], blank, beam_width)
        for path, (labels, score) in enumerate(beams[:top_paths]):
            decoded[path, sample, : len(labels)] = labels
            scores[sample, path] = score
    return decoded, scores


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    """Return log-probabilities in the type of the logits: float64, which `ops` has not."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


def _most_probable_paths(
    logits: np.ndarray, steps: np.ndarray, blank: int, merge_repeated: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return what the best path of each sample reads as, [1, batch, steps], and its score."""
    inside = np.arange(logits.shape[1]) < steps[:, np.newaxis]
    path = np.where(inside, logits.argmax(axis=-1), blank)
    kept = path != blank
    if merge_repeated:
        kept[:, 1:] &= path[:, 1:] != path[:, :-1]
    order = np.argsort(~kept, axis=1, kind="stable")
    labels = np.take_along_axis(np.where(kept, path, -1), order, axis=1)
    scores = -np.where(inside, logits.max(axis=-1), 0.0).sum(axis=1, keepdims=True)
    return labels[np.newaxis].astype(np.int32), scores.astype(np.float32)


def _beams(log_p: np.ndarray, blank: int, beam_width: int) -> list[tuple[tuple[int, ...], float]]:
    """Return labels and their log-probabilities by prefix beam search, the best first.

    Args:
        log_p: Log-probabilities of a sample, shape [steps, classes].
        blank: The class that is the blank.
        beam_width: How many beginnings are kept at each step.
    """
    nothing = (-np.inf, -np.inf)
    # Of paths that read so and end in the blank, and of those that end in the last label.
    beams: dict[tuple[int, ...], tuple[float, float]] = {(): (0.0, -np.inf)}
    for row in log_p.tolist():
        found: defaultdict[tuple[int, ...], tuple[float, float]] = defaultdict(lambda: nothing)
        for labels, (in_blank, in_label) in beams.items():
            either = float(np.logaddexp(in_blank, in_label))
            stays = row[labels[-1]] + in_label if labels else -np.inf
            own = found[labels]
            found[labels] = (
                float(np.logaddexp(own[0], either + row[blank])),
                float(np.logaddexp(own[1], stays)),
            )
            for label, value in enumerate(row):
                if label == blank:
                    continue
                # The same label again is another one only behind a blank.
                begun = in_blank if labels and label == labels[-1] else either
                longer = (*labels, label)
                known = found[longer]
                found[longer] = known[0], float(np.logaddexp(known[1], begun + value))
        best = sorted(found.items(), key=lambda item: -np.logaddexp(*item[1]))
        beams = dict(best[:beam_width])
    return [(labels, float(np.logaddexp(*each))) for labels, each in beams.items()]
