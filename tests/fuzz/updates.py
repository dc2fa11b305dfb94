"""The optimizers' updates in place."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

import numpy as np
from fastrnn import kernels
from support import reference_optimizers as reference
from support.rnn_cells import normal

from fuzz import wild

Array = np.ndarray


class Optimizer(NamedTuple):
    """A call of fastrnn and the same of the oracle; both take (variable, gradient, *slots)."""

    slots: int
    update: Callable[..., None]
    oracle: Callable[..., tuple[Array, ...]]
    centered: bool = False  # its first slot is no less than the square of the second


def _adam(amsgrad: bool) -> Optimizer:
    numbers = {"beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3}
    step_size = 0.01 * np.sqrt(1 - 0.9**3) / (1 - 0.8**3)
    return Optimizer(
        3,
        lambda w, g, m, v, v_max: kernels.adam_update(
            w, g, m, v, step_size=step_size, **numbers, decay=0.02, v_max=v_max if amsgrad else None
        ),
        lambda w, g, m, v, v_max: reference.adam_update(
            w, g, m, v, v_max if amsgrad else v, learning_rate=0.01, step=3, amsgrad=amsgrad,
            decay=0.02, **numbers,
        )[: 4 if amsgrad else 3],
    )  # fmt: skip


def _rmsprop(momentum: float, centered: bool = False) -> Optimizer:
    numbers = {"learning_rate": 0.01, "rho": 0.7, "epsilon": 1e-3, "decay": 0.02}
    used = (0, 1, *((2,) if centered else ()), *((3,) if momentum else ()))

    def slots(others: tuple[Array, ...]) -> tuple[Array | None, Array | None]:
        """The average of the gradients, and the momentum."""
        left = list(others)
        return left.pop(0) if centered else None, left.pop(0) if momentum else None

    def update(w: Array, g: Array, v: Array, *others: Array) -> None:
        average, p = slots(others)
        kernels.rmsprop_update(
            w, g, v, **numbers, momentum=momentum, momentum_buffer=p, average_gradient=average
        )

    def oracle(w: Array, g: Array, v: Array, *others: Array) -> tuple[Array, ...]:
        average, p = (np.zeros_like(w) if slot is None else slot for slot in slots(others))
        results = reference.rmsprop_update(
            w, g, v, average, p, **numbers, momentum=momentum, centered=centered
        )
        return tuple(results[k] for k in used)

    return Optimizer(len(used) - 1, update, oracle, centered)


def _nadam() -> Optimizer:
    momentums = [reference.nadam_momentum(0.8, k) for k in (1, 2, 3)]
    product = np.prod(momentums[:2])
    numbers = {"beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3, "decay": 0.02}
    return Optimizer(
        2,
        lambda w, g, m, v: kernels.nadam_update(
            w, g, m, v, step_size=0.01 * momentums[2] / (1 - product * momentums[2]),
            gradient_step_size=0.01 * (1 - momentums[1]) / (1 - product),
            v_correction=1 / (1 - 0.9**2), **numbers,
        ),
        lambda *a: reference.nadam_update(*a, learning_rate=0.01, step=2, **numbers),
    )  # fmt: skip


def _sgd(nesterov: bool) -> Optimizer:
    numbers: dict[str, Any] = {
        "learning_rate": 0.01, "momentum": 0.7, "nesterov": nesterov, "decay": 0.02,
    }  # fmt: skip
    return Optimizer(
        1,
        lambda w, g, p: kernels.sgd_update(w, g, momentum_buffer=p, **numbers),
        lambda *a: reference.sgd_update(*a, **numbers),
    )


_ADAGRAD = {"learning_rate": 0.01, "epsilon": 1e-3, "decay": 0.02}
_ADADELTA = {**_ADAGRAD, "rho": 0.7}
_ADAMAX = {"beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3, "decay": 0.02}

OPTIMIZERS = {
    "sgd": _sgd(False),
    "nesterov": _sgd(True),
    "rmsprop": _rmsprop(0),
    "rmsprop with momentum": _rmsprop(0.7),
    "rmsprop, centered": _rmsprop(0, True),
    "rmsprop, centered, with momentum": _rmsprop(0.7, True),
    "adam": _adam(False),
    "amsgrad": _adam(True),
    "adagrad": Optimizer(
        1,
        lambda *a: kernels.adagrad_update(*a, **_ADAGRAD),
        lambda *a: reference.adagrad_update(*a, **_ADAGRAD),
    ),
    "adadelta": Optimizer(
        2,
        lambda *a: kernels.adadelta_update(*a, **_ADADELTA),
        lambda *a: reference.adadelta_update(*a, **_ADADELTA),
    ),
    "adamax": Optimizer(
        2,
        lambda *a: kernels.adamax_update(*a, step_size=0.01 / (1 - 0.8**3), **_ADAMAX),
        lambda *a: reference.adamax_update(*a, learning_rate=0.01, step=3, **_ADAMAX),
    ),
    "nadam": _nadam(),
}


def _draw(r: Random) -> tuple[Optimizer, list[Array]]:
    optimizer = OPTIMIZERS[r.choice(sorted(OPTIMIZERS))]
    rng = wild.generator(r)
    sizes = (0, 1, 3, 8, 15, 17, 1000)
    shape = (40_003,) if wild.some(r, 0.01) else tuple(
        r.choice(sizes[:-1] if k else sizes) for k in range(r.randrange(1, 3))
    )  # fmt: skip
    arrays = [normal(rng, *shape) for _ in range(2 + optimizer.slots)]
    for slot in arrays[2:]:
        np.abs(slot, out=slot)  # running means of squares are among them
    if optimizer.centered:
        arrays[2] += arrays[3] ** 2 + np.float32(0.1)
    return optimizer, arrays


def agree(r: Random) -> str:
    """One update of random arrays, the gradient in any form."""
    optimizer, arrays = _draw(r)
    want = optimizer.oracle(*(a.astype(np.float64) for a in arrays))
    variable, gradient, *slots = arrays
    optimizer.update(variable, wild.dressed(r, gradient), *slots)
    for got, exact in zip((variable, *slots), want, strict=False):
        np.testing.assert_allclose(got, exact, rtol=3e-5, atol=3e-6)
    return wild.AGREED


def any_numbers(r: Random) -> str:
    """NaN, infinities and denormals stay in their own elements."""
    optimizer, arrays = _draw(r)
    clean = [a.copy() for a in arrays]
    where = wild.generator(r).random(arrays[0].shape) < 0.2
    for a in arrays:
        a[where] = r.choice((np.nan, np.inf, -np.inf, 3e38, 1e-42, -0.0))
    for variable, gradient, *slots in (arrays, clean):
        optimizer.update(variable, gradient, *slots)
    for a, b in zip(arrays, clean, strict=True):
        np.testing.assert_array_equal(a[~where], b[~where])
    return wild.AGREED


def overlap(r: Random) -> str:
    """One memory for several arrays: the numbers are nobody's, but the call ends."""
    optimizer, (variable, *_) = _draw(r)
    memory = np.zeros(variable.size + 3, np.float32)
    count = 2 + optimizer.slots
    starts = [r.choice((0, 0, 1, 3)) for _ in range(count)]
    pieces = [memory[at : at + variable.size].reshape(variable.shape) for at in starts]
    optimizer.update(*pieces)
    return wild.AGREED


def refuse(r: Random) -> str:
    """An array of another shape, or one that cannot be changed in place: nothing has changed."""
    optimizer, arrays = _draw(r)
    while not arrays[0].size:  # nothing would be changed in place
        optimizer, arrays = _draw(r)
    at = r.randrange(len(arrays))
    before = [a.copy() for a in arrays]
    right: Any = arrays[at]
    if at == 1:
        wrong = wild.wrong(r, right)
    else:
        forms = [wild.wrong_kind, wild.other_shape, wild.wrong_rank]
        forms += [lambda r, a: wild.unaligned(a), lambda r, a: wild.read_only(a)]
        forms += [lambda r, a: a.astype(np.float64), lambda r, a: a.astype(">f4")]
        wrong = r.choice(forms)(r, right)
    given = [*arrays[:at], wrong, *arrays[at + 1 :]]
    if at >= 2 and not _uses(optimizer, at):
        return wild.AGREED
    result = wild.must_refuse(lambda: optimizer.update(*given), f"array {at}")
    for a, b in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(a, b)
    return result


def _uses(optimizer: Optimizer, at: int) -> bool:
    """Whether the update looks at an array at all: not at the slots of a part left out."""
    return at - 2 < len(optimizer.oracle(*(np.ones(1) for _ in range(2 + optimizer.slots)))) - 1
