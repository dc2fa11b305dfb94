"""`decay` of Keras 2 is ignored with a warning, in every optimizer, as in Keras 3."""

from __future__ import annotations

import warnings
from types import ModuleType

import pytest
from fastrnn import optimizers

NAMES = ("Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "Nadam", "RMSprop", "SGD")


@pytest.mark.parametrize("name", NAMES)
def test_decay_is_ignored_with_a_warning(name: str) -> None:
    with pytest.warns(UserWarning, match="`decay` has no effect"):
        optimizer = getattr(optimizers, name)(0.01, decay=1e-6)
    plain = getattr(optimizers, name)(0.01)
    assert {**optimizer.get_config(), "name": ""} == {**plain.get_config(), "name": ""}


@pytest.mark.parametrize("name", NAMES)
def test_none_gives_no_warning_and_other_names_are_refused(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        getattr(optimizers, name)(0.01, decay=None)
    with pytest.raises((TypeError, ValueError), match="decay_rate"):
        getattr(optimizers, name)(0.01, decay_rate=1e-6)


def test_keras_warns_too(keras: ModuleType) -> None:
    with pytest.warns(UserWarning, match="decay"):
        keras.optimizers.Adam(0.01, decay=1e-6)
