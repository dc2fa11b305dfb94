"""Initializers: distributions, orthogonality, seeds, names and configs."""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from fastrnn import initializers
from fastrnn.initializers.scaled_initializers import fans
from fastrnn.random import set_random_seed

SHAPE = (300, 200)
FAN_IN, FAN_OUT = SHAPE


def uniform(limit: float) -> tuple[float, float]:
    """Standard deviation and bound of a uniform distribution on [-limit, limit]."""
    return limit / math.sqrt(3), limit


DISTRIBUTIONS: dict[str, tuple[float, float]] = {
    # standard deviation, bound of the absolute value
    "random_uniform": uniform(0.05),
    "random_normal": (0.05, 0.35),
    "truncated_normal": (0.05 * 0.87962566, 0.1),
    "glorot_uniform": uniform(math.sqrt(6 / (FAN_IN + FAN_OUT))),
    "glorot_normal": (
        math.sqrt(2 / (FAN_IN + FAN_OUT)),
        2 * math.sqrt(2 / (FAN_IN + FAN_OUT)) / 0.87962566,
    ),
    "he_uniform": uniform(math.sqrt(6 / FAN_IN)),
    "he_normal": (math.sqrt(2 / FAN_IN), 2 * math.sqrt(2 / FAN_IN) / 0.87962566),
    "lecun_uniform": uniform(math.sqrt(3 / FAN_IN)),
    "lecun_normal": (math.sqrt(1 / FAN_IN), 2 * math.sqrt(1 / FAN_IN) / 0.87962566),
}


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_distributions(name: str) -> None:
    set_random_seed(1)
    stddev, bound = DISTRIBUTIONS[name]
    values = initializers.get(name)(SHAPE)
    assert values.dtype == np.float32
    assert values.flags.c_contiguous
    # 60,000 draws: the mean is within five standard errors, the deviation within two percent.
    assert abs(values.mean()) < 5 * stddev / math.sqrt(values.size)
    assert values.std() == pytest.approx(stddev, rel=0.02)
    assert np.abs(values).max() <= bound
    assert np.abs(values).max() > 0.8 * bound or name == "random_normal"


def normal_share(deviations: np.ndarray) -> np.ndarray:
    """Share of a standard normal distribution below each number of deviations."""
    return np.array([0.5 * (1 + math.erf(each / math.sqrt(2))) for each in deviations])


@pytest.mark.parametrize(
    ("made", "middle", "scale", "kind"),
    [
        (initializers.RandomUniform(-1.0, 3.0, seed=1), 1.0, 2.0, "uniform"),
        (initializers.RandomNormal(0.5, 2.0, seed=2), 0.5, 2.0, "normal"),
        (initializers.TruncatedNormal(-0.5, 2.0, seed=3), -0.5, 2.0, "truncated"),
        (initializers.HeUniform(seed=4), 0.0, math.sqrt(6 / FAN_IN), "uniform"),
        (initializers.LecunNormal(seed=5), 0.0, FAN_IN**-0.5 / 0.87962566, "truncated"),
        (
            initializers.VarianceScaling(3.0, "fan_out", "untruncated_normal", seed=6),
            0.0,
            math.sqrt(3 / FAN_OUT),
            "normal",
        ),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "seed") else "",
)
def test_shares_below_each_bound(made: Any, middle: float, scale: float, kind: str) -> None:
    """The distribution function at 41 points. One of the 60,000 draws moves it by 1 / 60,000."""
    bounds = np.linspace(-2.0, 2.0, 41)
    if kind == "uniform":
        wanted = np.clip((bounds + 1) / 2, 0, 1)
    else:
        wanted = normal_share(bounds)
        if kind == "truncated":
            low, high = normal_share(np.array([-2.0, 2.0]))
            wanted = (wanted - low) / (high - low)
    draws = np.sort((made(SHAPE).ravel() - middle) / scale)
    got = np.searchsorted(draws, bounds, side="right") / draws.size
    # Kolmogorov's bound for one chance in a thousand.
    assert np.abs(got - wanted).max() < 1.95 / math.sqrt(draws.size)


def test_draws_do_not_depend_on_each_other() -> None:
    """Neighbours in a row and in a column: the correlation is within five standard errors."""
    values = initializers.RandomNormal(seed=7)(SHAPE) / 0.05
    for one, other in ((values[1:], values[:-1]), (values[:, 1:], values[:, :-1])):
        assert abs((one * other).mean()) < 5 / math.sqrt(one.size)


@pytest.mark.parametrize("shape", [(6, 6), (4, 12), (12, 4), (2, 3, 4)])
def test_orthogonal(shape: tuple[int, ...]) -> None:
    q = initializers.Orthogonal(gain=2.0, seed=3)(shape).reshape(-1, shape[-1])
    q = q / 2
    small = min(q.shape)
    gram = q @ q.T if len(q) == small else q.T @ q
    np.testing.assert_allclose(gram, np.eye(small), atol=1e-6)


def test_orthogonal_is_uniform_over_signs() -> None:
    diagonals = [initializers.Orthogonal(seed=seed)((3, 3))[0, 0] for seed in range(200)]
    assert 70 < sum(value > 0 for value in diagonals) < 130


def test_seeds() -> None:
    one = initializers.GlorotUniform(seed=5)
    np.testing.assert_array_equal(one((3, 2)), one((3, 2)))
    np.testing.assert_array_equal(one((3, 2)), initializers.GlorotUniform(seed=5)((3, 2)))
    assert (one((3, 2)) != initializers.GlorotUniform(seed=-5)((3, 2))).any()
    assert (one((3, 2)) != initializers.GlorotUniform()((3, 2))).any()
    set_random_seed(9)
    first = initializers.get("orthogonal")((3, 3))
    second = initializers.get("orthogonal")((3, 3))
    assert (first != second).any()
    set_random_seed(9)
    np.testing.assert_array_equal(initializers.get("orthogonal")((3, 3)), first)
    with pytest.raises(ValueError, match="Received: seed='a'"):
        initializers.GlorotUniform(seed="a")  # type: ignore[arg-type]


def test_constants() -> None:
    np.testing.assert_array_equal(initializers.get("zeros")((2, 2)), np.zeros((2, 2)))
    np.testing.assert_array_equal(initializers.get("ones")((2, 2)), np.ones((2, 2)))
    np.testing.assert_array_equal(initializers.Constant(3)((2,)), [3, 3])
    np.testing.assert_array_equal(initializers.Identity(2)((2, 3)), [[2, 0, 0], [0, 2, 0]])
    array = np.arange(4.0)
    np.testing.assert_array_equal(initializers.get(array)((4,)), array)


def test_identifiers() -> None:
    assert isinstance(initializers.get("GlorotUniform"), initializers.GlorotUniform)
    assert isinstance(initializers.get("uniform"), initializers.RandomUniform)
    assert isinstance(initializers.get(initializers.Zeros), initializers.Zeros)
    made = initializers.Ones()
    assert initializers.get(made) is made
    assert initializers.get(np.zeros) is np.zeros
    for bad in ("glorot", 3, None, {"class_name": "Glorot"}, dict):
        with pytest.raises(ValueError, match="Received"):
            initializers.get(bad)


@pytest.mark.parametrize("arguments", [{"scale": 0}, {"mode": "fan"}, {"distribution": "gaussian"}])
def test_bad_variance_scaling(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"`{next(iter(arguments))}` must be"):
        initializers.VarianceScaling(**arguments)


@pytest.mark.parametrize("shape", [(), (3,), (3, 4), (5, 3, 4)])
def test_fans_are_those_of_keras(keras: ModuleType, shape: tuple[int, ...]) -> None:
    from keras.src.initializers.random_initializers import compute_fans

    assert fans(shape) == compute_fans(shape)
    if len(shape) == 3:
        axes = ([0], [1, 2])
        assert fans(shape, *axes) == compute_fans(shape, *axes)


@pytest.mark.parametrize(
    "made",
    [
        initializers.Constant(2.0),
        initializers.Zeros(),
        initializers.Ones(),
        initializers.Identity(3.0),
        initializers.RandomUniform(-1.0, 2.0, seed=3),
        initializers.RandomNormal(1.0, 2.0),
        initializers.TruncatedNormal(1.0, 2.0, seed=4),
        initializers.Orthogonal(1.5),
        initializers.VarianceScaling(2.0, "fan_out", "uniform"),
        initializers.GlorotUniform(seed=3),
        initializers.GlorotNormal(),
        initializers.HeUniform(),
        initializers.HeNormal(),
        initializers.LecunUniform(),
        initializers.LecunNormal(),
    ],
    ids=lambda made: type(made).__name__,
)
def test_configs_are_those_of_keras(keras: ModuleType, made: initializers.Initializer) -> None:
    config = initializers.serialize(made)
    again = initializers.deserialize(config)
    assert isinstance(again, type(made))
    assert initializers.serialize(again) == config
    theirs = keras.initializers.get(config)
    if not isinstance(made, initializers.Identity):  # Keras 3.15.1 forgets its gain
        assert theirs.get_config() == config["config"]
    with pytest.raises(ValueError, match="Only an `Initializer` has a config"):
        initializers.serialize(np.zeros)


def test_each_name_of_keras_is_there(keras: ModuleType) -> None:
    """But for STFT, which makes filters of sound."""
    theirs = {name for name in dir(keras.initializers) if not name.startswith("_")}
    theirs -= {"STFT", "STFTInitializer", "stft"}
    assert theirs <= set(initializers.__all__)
    for name in theirs - {"deserialize", "get", "serialize"}:
        ours = getattr(initializers, name)
        assert ours.__name__ == getattr(keras.initializers, name).__name__
        if name not in ("Initializer", "RandomInitializer"):
            assert type(initializers.get(name)) is ours
