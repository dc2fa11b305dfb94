"""The fused optimizer updates against the oracle's equations, several steps in a row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support import reference_optimizers as reference

SIZES = (1, 7, 16, 1000, 40_003)
STEPS = 4
DECAYS = (0.0, 0.01)

sizes = pytest.mark.parametrize("size", SIZES)
decays = pytest.mark.parametrize("decay", DECAYS)

SGD = [
    {"momentum": 0.0, "nesterov": False},
    {"momentum": 0.9, "nesterov": False},
    {"momentum": 0.9, "nesterov": True},
]
RMSPROP = [
    {"momentum": momentum, "centered": centered}
    for momentum in (0.0, 0.7)
    for centered in (False, True)
]


def start(rng: np.random.Generator, size: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """A variable, and gradients with large, small and zero elements."""
    scale = rng.choice([0, 1e-6, 1e-2, 1, 30], (STEPS, size))
    gradients = list((scale * rng.standard_normal((STEPS, size))).astype(np.float32))
    return rng.standard_normal(size).astype(np.float32), gradients


def assert_close(variable: np.ndarray, want: np.ndarray, moved: float) -> None:
    """Each step rounds the variable once and its increment a few times."""
    assert variable.dtype == np.float32
    np.testing.assert_allclose(variable, want, rtol=STEPS * 1.2e-7, atol=1e-6 * moved)


@sizes
@decays
@pytest.mark.parametrize("options", SGD, ids=str)
def test_sgd(size: int, decay: float, options: dict[str, Any], isa: str, rng: Any) -> None:
    from fastrnn import kernels

    variable, gradients = start(rng, size)
    buffer = np.zeros(size, np.float32)
    want: Any = (variable.astype(np.float64), np.zeros(size))
    for gradient in gradients:
        kernels.sgd_update(
            variable, gradient, learning_rate=0.05, decay=decay, **options,
            momentum_buffer=buffer if options["momentum"] else None,
        )  # fmt: skip
        want = reference.sgd_update(
            want[0],
            gradient.astype(np.float64),
            want[1],
            learning_rate=0.05,
            decay=decay,
            **options,
        )
    assert_close(variable, want[0], moved=5)
    if options["momentum"]:
        assert_close(buffer, want[1], moved=5)


@sizes
@decays
@pytest.mark.parametrize("options", RMSPROP, ids=str)
def test_rmsprop(size: int, decay: float, options: dict[str, Any], isa: str, rng: Any) -> None:
    from fastrnn import kernels

    variable, gradients = start(rng, size)
    velocity, average, buffer = (np.zeros(size, np.float32) for _ in range(3))
    want: Any = (variable.astype(np.float64), np.zeros(size), np.zeros(size), np.zeros(size))
    numbers = {"learning_rate": 0.01, "rho": 0.9, "epsilon": 1e-7, "decay": decay}
    for gradient in gradients:
        kernels.rmsprop_update(
            variable, gradient, velocity, momentum=options["momentum"], **numbers,
            momentum_buffer=buffer if options["momentum"] else None,
            average_gradient=average if options["centered"] else None,
        )  # fmt: skip
        want = reference.rmsprop_update(
            want[0], gradient.astype(np.float64), *want[1:], **options, **numbers
        )
    # g / sqrt(v - mean**2) amplifies the rounding of v where the variance is small.
    assert_close(variable, want[0], moved=1 if options["centered"] else 0.3)
    np.testing.assert_allclose(velocity, want[1], rtol=2e-6, atol=1e-30)
    if options["centered"]:
        np.testing.assert_allclose(average, want[2], rtol=0, atol=1e-5)
    if options["momentum"]:
        assert_close(buffer, want[3], moved=1 if options["centered"] else 0.3)


@sizes
@decays
@pytest.mark.parametrize("amsgrad", [False, True])
def test_adam(size: int, decay: float, amsgrad: bool, isa: str, rng: Any) -> None:
    from fastrnn import kernels

    variable, gradients = start(rng, size)
    m, v, v_max = (np.zeros(size, np.float32) for _ in range(3))
    want: Any = (variable.astype(np.float64), np.zeros(size), np.zeros(size), np.zeros(size))
    numbers = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, "decay": decay}
    for step, gradient in enumerate(gradients, start=1):
        step_size = 0.01 * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
        kernels.adam_update(
            variable,
            gradient,
            m,
            v,
            step_size=step_size,
            **numbers,
            v_max=v_max if amsgrad else None,
        )
        want = reference.adam_update(
            want[0], gradient.astype(np.float64), *want[1:],
            learning_rate=0.01, step=step, amsgrad=amsgrad, **numbers,
        )  # fmt: skip
    assert_close(variable, want[0], moved=0.1)
    np.testing.assert_allclose(m, want[1], rtol=2e-6, atol=1e-5)
    np.testing.assert_allclose(v, want[2], rtol=2e-6, atol=1e-30)
    if amsgrad:
        np.testing.assert_allclose(v_max, want[3], rtol=2e-6, atol=1e-30)


@sizes
@decays
def test_adagrad(size: int, decay: float, isa: str, rng: Any) -> None:
    from fastrnn import kernels

    variable, gradients = start(rng, size)
    accumulator = np.full(size, 0.1, np.float32)
    want: Any = (variable.astype(np.float64), accumulator.astype(np.float64))
    numbers = {"learning_rate": 0.01, "epsilon": 1e-3, "decay": decay}
    for gradient in gradients:
        kernels.adagrad_update(variable, gradient, accumulator, **numbers)
        want = reference.adagrad_update(want[0], gradient.astype(np.float64), want[1], **numbers)
    assert_close(variable, want[0], moved=0.1)
    np.testing.assert_allclose(accumulator, want[1], rtol=2e-6)


@sizes
@decays
def test_adadelta(size: int, decay: float, isa: str, rng: Any) -> None:
    from fastrnn import kernels

    variable, gradients = start(rng, size)
    squared_gradient, squared_step = np.zeros(size, np.float32), np.zeros(size, np.float32)
    want: Any = (variable.astype(np.float64), np.zeros(size), np.zeros(size))
    numbers = {"learning_rate": 0.7, "rho": 0.9, "epsilon": 1e-4, "decay": decay}
    for gradient in gradients:
        kernels.adadelta_update(variable, gradient, squared_gradient, squared_step, **numbers)
        want = reference.adadelta_update(want[0], gradient.astype(np.float64), *want[1:], **numbers)
    assert_close(variable, want[0], moved=0.3)
    np.testing.assert_allclose(squared_gradient, want[1], rtol=2e-6, atol=1e-30)
    np.testing.assert_allclose(squared_step, want[2], rtol=4e-6, atol=1e-30)


@sizes
@decays
def test_adamax(size: int, decay: float, isa: str, rng: Any) -> None:
    from fastrnn import kernels

    variable, gradients = start(rng, size)
    m, u = np.zeros(size, np.float32), np.zeros(size, np.float32)
    want: Any = (variable.astype(np.float64), np.zeros(size), np.zeros(size))
    numbers = {"beta_1": 0.9, "beta_2": 0.7, "epsilon": 1e-4, "decay": decay}
    for step, gradient in enumerate(gradients, start=1):
        step_size = 0.01 / (1 - 0.9**step)
        kernels.adamax_update(variable, gradient, m, u, step_size=step_size, **numbers)
        want = reference.adamax_update(
            want[0], gradient.astype(np.float64), *want[1:],
            learning_rate=0.01, step=step, **numbers,
        )  # fmt: skip
    assert_close(variable, want[0], moved=0.1)
    np.testing.assert_allclose(m, want[1], rtol=2e-6, atol=1e-5)
    np.testing.assert_allclose(u, want[2], rtol=2e-6, atol=1e-30)


@sizes
@decays
def test_nadam(size: int, decay: float, isa: str, rng: Any) -> None:
    from fastrnn import kernels

    variable, gradients = start(rng, size)
    m, v = np.zeros(size, np.float32), np.zeros(size, np.float32)
    want: Any = (variable.astype(np.float64), np.zeros(size), np.zeros(size))
    numbers = {"beta_1": 0.9, "beta_2": 0.99, "epsilon": 1e-4, "decay": decay}
    product = 1.0
    for step, gradient in enumerate(gradients, start=1):
        now, following = (reference.nadam_momentum(0.9, k) for k in (step, step + 1))
        product *= now
        kernels.nadam_update(
            variable,
            gradient,
            m,
            v,
            step_size=0.01 * following / (1 - product * following),
            gradient_step_size=0.01 * (1 - now) / (1 - product),
            v_correction=1 / (1 - 0.99**step),
            **numbers,
        )
        want = reference.nadam_update(
            want[0], gradient.astype(np.float64), *want[1:],
            learning_rate=0.01, step=step, **numbers,
        )  # fmt: skip
    assert_close(variable, want[0], moved=0.2)
    np.testing.assert_allclose(m, want[1], rtol=2e-6, atol=1e-5)
    np.testing.assert_allclose(v, want[2], rtol=2e-6, atol=1e-30)


def all_updates() -> dict[str, Callable[[np.ndarray, np.ndarray, list[np.ndarray]], None]]:
    from fastrnn import kernels

    def sgd(variable: np.ndarray, gradient: np.ndarray, slots: list[np.ndarray]) -> None:
        kernels.sgd_update(
            variable,
            gradient,
            learning_rate=0.1,
            momentum=0.9,
            nesterov=True,
            momentum_buffer=slots[0],
        )

    def rmsprop(variable: np.ndarray, gradient: np.ndarray, slots: list[np.ndarray]) -> None:
        kernels.rmsprop_update(
            variable, gradient, slots[0], learning_rate=0.1, rho=0.9, epsilon=1e-7,
            momentum=0.9, momentum_buffer=slots[1], average_gradient=slots[2],
        )  # fmt: skip

    def adam(variable: np.ndarray, gradient: np.ndarray, slots: list[np.ndarray]) -> None:
        kernels.adam_update(
            variable, gradient, slots[0], slots[1], step_size=0.1, beta_1=0.9, beta_2=0.999,
            epsilon=1e-7, v_max=slots[2],
        )  # fmt: skip

    def adagrad(variable: np.ndarray, gradient: np.ndarray, slots: list[np.ndarray]) -> None:
        kernels.adagrad_update(variable, gradient, slots[0], learning_rate=0.1, epsilon=1e-7)

    def adadelta(variable: np.ndarray, gradient: np.ndarray, slots: list[np.ndarray]) -> None:
        kernels.adadelta_update(
            variable, gradient, slots[0], slots[1], learning_rate=1.0, rho=0.9, epsilon=1e-7
        )

    def adamax(variable: np.ndarray, gradient: np.ndarray, slots: list[np.ndarray]) -> None:
        kernels.adamax_update(
            variable, gradient, slots[0], slots[1], step_size=0.1, beta_1=0.9, beta_2=0.999,
            epsilon=1e-7,
        )  # fmt: skip

    def nadam(variable: np.ndarray, gradient: np.ndarray, slots: list[np.ndarray]) -> None:
        kernels.nadam_update(
            variable, gradient, slots[0], slots[1], step_size=0.1, gradient_step_size=0.2,
            v_correction=2.0, beta_1=0.9, beta_2=0.999, epsilon=1e-7,
        )  # fmt: skip

    updates = (sgd, rmsprop, adam, adagrad, adadelta, adamax, nadam)
    return {update.__name__: update for update in updates}


# How many slots each has; `all_updates` imports fastrnn, which collection must not need.
SLOTS = {"sgd": 1, "rmsprop": 3, "adam": 3, "adagrad": 1, "adadelta": 2, "adamax": 2, "nadam": 2}


@pytest.mark.parametrize("name", SLOTS)
def test_same_bits_for_any_number_of_threads(
    name: str, isa: str, rng: Any, set_threads: Callable[[int], None]
) -> None:
    update = all_updates()[name]
    value, (gradient, *_) = start(rng, 40_003)
    results = []
    for threads in (1, 2, 3, 4):
        set_threads(threads)
        arrays = [value.copy(), *(np.zeros(40_003, np.float32) for _ in range(3))]
        update(arrays[0], gradient, arrays[1:])
        results.append(arrays)
    for result in results[1:]:
        for a, b in zip(results[0], result, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", SLOTS)
def test_bad_input_is_refused_before_anything_changes(name: str) -> None:
    update = all_updates()[name]

    def fresh() -> list[np.ndarray]:
        return [np.ones((3, 4), np.float32) for _ in range(5)]

    update(*(lambda v, g, *slots: (v, g, list(slots)))(*fresh()))
    bad = [
        np.ones((4, 3), np.float32),
        np.ones(11, np.float32),
        np.ones((3, 4), np.float64),
        np.ones((3, 4), np.int32),
        np.ones((3, 8), np.float32)[:, ::2],
    ]
    read_only = np.ones((3, 4), np.float32)
    read_only.flags.writeable = False
    for position in (0, *range(2, 2 + SLOTS[name])):  # the variable and the slots: all written
        for value in (*bad, read_only):
            arrays = fresh()
            arrays[position] = value
            before = [array.copy() for array in arrays]
            with pytest.raises((ValueError, TypeError)):
                update(arrays[0], arrays[1], arrays[2:])
            for array, copy in zip(arrays, before, strict=True):
                np.testing.assert_array_equal(array, copy)
    arrays = fresh()
    with pytest.raises((ValueError, TypeError), match="eceived"):
        update(arrays[0], bad[0], arrays[2:])
    np.testing.assert_array_equal(arrays[0], np.ones((3, 4)))


def test_momentum_needs_its_buffer() -> None:
    """Without the check the update would quietly be plain SGD."""
    from fastrnn import kernels

    variable, gradient = np.ones(3, np.float32), np.ones(3, np.float32)
    with pytest.raises((ValueError, TypeError), match="momentum_buffer"):
        kernels.sgd_update(variable, gradient, learning_rate=0.1, momentum=0.9)
    with pytest.raises((ValueError, TypeError), match="momentum_buffer"):
        kernels.rmsprop_update(
            variable,
            gradient,
            variable.copy(),
            learning_rate=0.1,
            rho=0.9,
            epsilon=1e-7,
            momentum=0.9,
        )
    np.testing.assert_array_equal(variable, np.ones(3))


@pytest.mark.parametrize("name", SLOTS)
def test_a_list_of_variables_gets_the_bits_of_one_after_another(name: str, rng: Any) -> None:
    update: Any = all_updates()[name]
    count = 2 + SLOTS[name]
    together = [[rng.random((3, size)).astype(np.float32) for size in (1, 5)] for _ in range(count)]
    apart = [[each.copy() for each in arrays] for arrays in together]
    update(together[0], together[1], [*together[2:], None, None])
    for variable, gradient, *slots in zip(*apart, strict=True):
        update(variable, gradient, slots)
    for several, single in zip(together, apart, strict=True):
        for a, b in zip(several, single, strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_list_has_an_item_for_each_variable() -> None:
    from fastrnn import kernels

    def arrays(size: int = 2) -> list[np.ndarray]:
        return [np.ones(3, np.float32) for _ in range(size)]

    options: Any = {"learning_rate": 0.5, "momentum": 0.5}
    variables = arrays()
    kernels.sgd_update(variables, arrays(), decay=[0.0, 0.5], momentum_buffer=arrays(), **options)
    assert [each[0] for each in variables] == [1.0, 0.5]
    variables = arrays()
    for wrong in (
        {"gradient": arrays(1)},
        {"gradient": np.ones((2, 3))},
        {"momentum_buffer": arrays(3)},
        {"momentum_buffer": [np.ones(3, np.float32), np.ones(4, np.float32)]},
        {"decay": [0.1]},
    ):
        given: Any = {"gradient": arrays(), "momentum_buffer": arrays()} | wrong
        with pytest.raises(ValueError, match="Received"):
            kernels.sgd_update(variables, **given, **options)
        np.testing.assert_array_equal(variables, np.ones((2, 3)))
