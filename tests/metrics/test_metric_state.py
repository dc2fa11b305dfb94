"""`get_state` and `set_state`: a metric goes on in another object, and shares nothing with it."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
from fastrnn import losses, metrics
from fastrnn.state import get_attributes, set_attributes

ARGUMENTS: dict[str, dict[str, Any]] = {
    **{name: {name.split("At")[1].lower(): 0.4} for name in metrics.__all__ if "At" in name},
    "AUC": {"multi_label": True, "num_thresholds": 7},
    "Precision": {"thresholds": [0.3, 0.6]},
    "MeanMetricWrapper": {"fn": losses.Huber()},
    "TopKCategoricalAccuracy": {"k": 1},
    "SparseTopKCategoricalAccuracy": {"k": 1},
}
NAMES = [
    name for name in metrics.__all__ if inspect.isclass(getattr(metrics, name)) and name != "Metric"
]


def batches(name: str, rng: np.random.Generator) -> list[tuple[Any, ...]]:
    made: list[tuple[Any, ...]] = []
    for rows in (4, 3):
        predicted = rng.uniform(0.05, 0.95, (rows, 3)).astype("float32")
        labels = np.eye(3, dtype="float32")[rng.integers(0, 3, rows)]
        if "Sparse" in name:
            labels = labels.argmax(-1)[:, np.newaxis].astype("float32")
        made.append((predicted,) if name in ("Mean", "Sum") else (labels, predicted))
    return made


@pytest.mark.parametrize("name", NAMES)
def test_a_metric_goes_on_in_a_new_object(name: str, rng: np.random.Generator) -> None:
    first, second = (getattr(metrics, name)(**ARGUMENTS.get(name, {})) for _ in range(2))
    before, after = batches(name, rng)
    first.update_state(*before)
    gathered = np.array(first.result())
    state = first.get_state()
    first.update_state(*after)
    second.set_state(state)
    np.testing.assert_array_equal(second.result(), gathered)
    second.update_state(*after)
    np.testing.assert_array_equal(second.result(), first.result())
    assert repr(first.get_state()) == repr(second.get_state()) != repr(state)
    second.set_state(state)  # it was not changed by going on
    np.testing.assert_array_equal(second.result(), gathered)


class Box:
    """Anything with attributes."""

    def __init__(self, **attributes: Any) -> None:
        vars(self).update(attributes)


def test_objects_keep_their_places() -> None:
    def box() -> Box:
        rng = np.random.default_rng(8)
        return Box(means=[metrics.Mean(), metrics.Mean()], by_name={"a": metrics.Sum()}, rng=rng)

    first, second = box(), box()
    first.means[1].update_state(5.0)
    first.by_name["a"].update_state(2.0)
    first.rng.random(3)
    state = get_attributes(first, ["means", "by_name", "rng"])
    own = [*second.means, second.by_name["a"], second.rng]
    set_attributes(second, state)
    assert all(
        one is other
        for one, other in zip([*second.means, second.by_name["a"], second.rng], own, strict=True)
    )
    assert [each.result() for each in second.means] == [0.0, 5.0]
    assert second.by_name["a"].result() == 2.0
    assert second.rng.random() == first.rng.random()
    with pytest.raises(ValueError, match=r"`means\[1\]` must be an object"):
        set_attributes(Box(means=[metrics.Mean()]), state)


@pytest.mark.parametrize(
    "value",
    [
        {1, 2},
        b"bytes",
        object(),
        {(1, 2): 3},
        1j,
        np.array([None]),
        np.ma.masked_array([1, 2], [True, False]),
        metrics.Mean,
        lambda: 0,
    ],
    ids=lambda value: type(value).__name__,
)
def test_other_values_are_refused_by_name(value: Any) -> None:
    with pytest.raises(TypeError, match=r"`seen\['x'\]\[1\]` must hold None.*Received: "):
        get_attributes(Box(seen={"x": [0, value]}), ["seen"])
