"""The windows of numbers are what the model is said to learn."""

from __future__ import annotations

import numpy as np
from comparison.number_windows import number_windows


def test_each_window_is_followed_by_its_label() -> None:
    x_train, y_train, x_test, y_test = number_windows(500, numbers=100, steps=10, seed=1)
    assert x_train.shape == (500, 10, 1)
    assert x_train.dtype == y_train.dtype == np.float32
    for x, y in ((x_train, y_train), (x_test, y_test)):
        np.testing.assert_allclose(np.diff(x[:, :, 0], axis=1), 0.01, atol=1e-6)
        np.testing.assert_allclose(y - x[:, -1, 0], 0.01, atol=1e-6)


def test_the_test_windows_are_not_trained_on_and_all_others_are() -> None:
    _, y_train, _, y_test = number_windows(500, numbers=100, steps=10, seed=1)
    trained, tested = ({round(100 * float(y)) for y in labels} for labels in (y_train, y_test))
    assert not trained & tested
    assert trained | tested == set(range(10, 100))
    assert len(y_test) == len(tested) == 9


def test_windows_come_as_often_as_each_other_in_an_order_of_the_seed() -> None:
    first, again, other = (number_windows(162, 100, 10, seed)[1] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert set(np.unique(first, return_counts=True)[1]) == {2}
