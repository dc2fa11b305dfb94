"""Draws: sizes, numbers, and the forms in which an array may come.

Everything comes out of one `random.Random`. A long run makes it from a number, which repeats the
case; in the tests hypothesis stands behind it, and looks for the smallest case that fails.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np

Array = np.ndarray

# Below, at and beyond the vectors and register tiles of every level.
SMALL = (1, 2, 3, 5, 7, 8, 9, 15, 16, 17)
LARGE = (31, 33, 48, 64, 65, 130)

REFUSED, AGREED = "refused", "agreed"


def size(r: Random, large: float = 0.1) -> int:
    return r.choice(LARGE if r.random() < large else SMALL)


def generator(r: Random) -> np.random.Generator:
    return np.random.default_rng(r.getrandbits(32))


def some(r: Random, probability: float = 0.5) -> bool:
    return r.random() < probability


# --- Forms of the same numbers --------------------------------------------------------------------


def _every_second(a: Array) -> Array:
    between = np.nan if a.dtype.kind == "f" else 99
    wide = np.full((*a.shape[:-1], 2 * a.shape[-1]), between, a.dtype)
    wide[..., ::2] = a
    return wide[..., ::2]


def unaligned(a: Array) -> Array:
    memory = bytearray(a.nbytes + 1)
    shifted = np.frombuffer(memory, a.dtype, a.size, offset=1).reshape(a.shape)
    shifted[...] = a
    return shifted


def read_only(a: Array) -> Array:
    a = a.copy()
    a.flags.writeable = False
    return a


FORMS: tuple[Callable[[Array], Any], ...] = (
    lambda a: a.astype(np.float64),
    lambda a: a.astype(a.dtype.newbyteorder()),
    np.asfortranarray,
    lambda a: np.ascontiguousarray(a[::-1])[::-1],
    lambda a: np.ascontiguousarray(a[..., ::-1])[..., ::-1],
    _every_second,
    unaligned,
    read_only,
    lambda a: a.tolist() if a.size and a.size < 500 else a,
)


def dressed(r: Random, a: Array | None) -> Any:
    """The same numbers, perhaps in another form."""
    if a is None or a.ndim == 0 or some(r, 0.7):
        return a
    return r.choice(FORMS)(a)


DTYPES = (np.float16, np.longdouble, np.int8, np.uint8, np.int32, np.uint64, np.int64, np.bool_)


def whole(r: Random, a: Array) -> Array:
    """Whole numbers near those of the array, of any dtype that may stand for float32."""
    return np.abs(np.round(a)).astype(r.choice(DTYPES))


INTEGERS = (np.int8, np.uint8, np.int16, np.int32, np.uint32, np.int64, np.uint64, np.float64)


def dressed_tokens(r: Random, tokens: Array) -> Any:
    tokens = tokens.astype(r.choice(INTEGERS))
    return r.choice(FORMS[1:])(tokens) if tokens.ndim and some(r, 0.3) else tokens


# --- What is no such array ------------------------------------------------------------------------


def other_shape(r: Random, a: Array) -> Any:
    axis = r.randrange(a.ndim)
    one_more = np.zeros((*a.shape[:axis], 1, *a.shape[axis + 1 :]), a.dtype)
    longer = np.concatenate([a, one_more], axis)
    shorter = a.take(range(a.shape[axis] - 1), axis) if a.shape[axis] else longer
    return r.choice([longer, shorter])


WRONG_KINDS: tuple[Callable[[Array], Any], ...] = (
    lambda a: a.astype(np.complex64),
    lambda a: a.astype(str),
    lambda a: a.astype(object) if a.size else np.array(["x"], object),
    lambda a: a.astype("datetime64[s]"),
    lambda a: "text",
    lambda a: {"a": 1},
    lambda a: object(),
    lambda a: [[1.0], [2.0, 3.0]],
)


def wrong_kind(r: Random, a: Array) -> Any:
    """Something that no number stands in."""
    return r.choice(WRONG_KINDS)(a)


def wrong_rank(r: Random, a: Array) -> Any:
    return a[None] if a.ndim == 0 or some(r) else a.reshape(-1) if a.ndim > 1 else a[None]


def wrong(r: Random, a: Array) -> Any:
    """Something that must not be taken in place of the array, whose shape is given by others."""
    kind = r.randrange(3)
    if kind == 0 or a.ndim == 0:
        return wrong_kind(r, a)
    return wrong_rank(r, a) if kind == 1 else other_shape(r, a)


def wrong_tokens(r: Random, tokens: Array, vocabulary: int) -> Any:
    """One id that is no row of the table, or ids that are none at all."""
    if not tokens.size or some(r, 0.3):
        return wrong_kind(r, tokens)
    bad = [-1, vocabulary, 2**31, 2**32, 2**63 - 1, -(2**31), -(2**63)]
    not_whole = [np.nan, np.inf, -np.inf, 0.5, -0.5, 1e300, float(vocabulary)]
    number = r.choice([*bad, *not_whole])
    ids = tokens.astype(np.int64 if isinstance(number, int) else np.float64)
    ids.reshape(-1)[r.randrange(ids.size)] = number
    return ids


# --- Judgement ------------------------------------------------------------------------------------


def must_refuse(call: Callable[[], Any], what: str) -> str:
    """A call with something wrong in it ends with one of the errors for that."""
    try:
        call()
    except (ValueError, TypeError, OSError):
        return REFUSED
    raise AssertionError(f"taken: {what}")
