"""Limits on the size of gradients.

Each function returns the very arrays it was given where nothing exceeds the limit, which is the
common case, and new ones elsewhere; it never changes a gradient in place.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastrnn.arguments import check_number


def squared_norm(gradient: np.ndarray) -> np.float32:
    """Return the sum of squares, in an order that does not depend on threads."""
    return np.float32(np.add.reduce(np.square(gradient), axis=None))


def clip_by_norm(gradients: Sequence[np.ndarray], limit: float) -> list[np.ndarray]:
    """Scale each gradient down to an L2 norm of at most `limit`: `g * limit / max(norm, limit)`."""
    clipped = []
    for gradient in gradients:
        norm = np.sqrt(squared_norm(gradient))
        # Written so that a norm of NaN clips, and so spreads as it does in Keras.
        if not norm <= limit:
            gradient = gradient * np.float32(limit) / norm
        clipped.append(gradient)
    return clipped


def clip_by_global_norm(gradients: Sequence[np.ndarray], limit: float) -> list[np.ndarray]:
    """Scale all gradients alike so that their joint L2 norm is at most `limit`.

    If the norm is not finite, all gradients become NaN.
    """
    squares = [squared_norm(gradient) for gradient in gradients]
    norm = np.sqrt(np.add.reduce(np.array(squares, dtype=np.float32)))
    if norm <= limit:
        return list(gradients)
    scale = np.float32(limit) / norm if np.isfinite(norm) else np.float32(np.nan)
    return [gradient * scale for gradient in gradients]


def clip_by_value(gradients: Sequence[np.ndarray], limit: float) -> list[np.ndarray]:
    """Move every element of each gradient into [-limit, limit]."""
    bound = np.float32(limit)
    return [np.minimum(np.maximum(gradient, -bound), bound) for gradient in gradients]


def check_limits(
    clipnorm: float | None, clipvalue: float | None, global_clipnorm: float | None
) -> None:
    """Check an optimizer's limits.

    Raises:
        ValueError: If one is not a number of at least 0, or more than one is set.
    """
    limits = {"clipnorm": clipnorm, "clipvalue": clipvalue, "global_clipnorm": global_clipnorm}
    given = {argument: limit for argument, limit in limits.items() if limit is not None}
    for argument, limit in given.items():
        check_number(argument, limit, 0.0)
    if len(given) > 1:
        raise ValueError(
            "Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set. Received: "
            + ", ".join(f"{argument}={limit}" for argument, limit in limits.items())
        )


def clip(
    gradients: list[np.ndarray],
    clipnorm: float | None,
    clipvalue: float | None,
    global_clipnorm: float | None,
) -> list[np.ndarray]:
    """Apply the limit that is set, if one is; a limit of 0 means no limit, as in Keras."""
    if clipnorm:
        return clip_by_norm(gradients, clipnorm)
    if global_clipnorm:
        return clip_by_global_norm(gradients, global_clipnorm)
    if clipvalue:
        return clip_by_value(gradients, clipvalue)
    return gradients
