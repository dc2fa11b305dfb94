"""What parts of a user's own keep over a kill: `get_state` and `set_state`, or a refusal."""

from __future__ import annotations

import collections
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from fastrnn import callbacks, layers, losses, metrics, optimizers
from fastrnn.files.state_file import read_state, state_bytes
from fastrnn.results import with_numpy
from fastrnn.state import get_attributes
from support.killed_training import FILE, X, Y, assert_deaths_change_nothing, fit


class Extremes(metrics.Metric):
    """A metric of a user: what it gathers are lists, dicts and other metrics, some made late."""

    def __init__(self) -> None:
        super().__init__(name="extremes")
        self.error = losses.Huber(0.7)
        self.round = np.round
        self.spread = [metrics.Mean(), metrics.Sum()]
        self.rng = np.random.default_rng(6)
        self.reset_state()

    def reset_state(self) -> None:
        self.largest: list[float] = []
        self.by_label: dict[int, dict[str, Any]] = {}
        self.last: tuple[Any, ...] = ()
        for each in self.spread:
            each.reset_state()

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self.largest.append(float(self.error(y_true, y_pred)) + float(np.max(y_pred)))
        for label, prediction in zip(y_true[:, 0].tolist(), y_pred[:, 0], strict=True):
            seen = self.by_label.setdefault(int(label), {"count": 0, "sum": np.float64(0.0)})
            seen["count"] += 1
            seen["sum"] += prediction
        self.last = (*self.last[-2:], y_pred[0].copy(), None, "batch")
        self.noise = float(self.rng.random())
        for each in self.spread:
            each.update_state(y_pred)

    def result(self) -> Any:
        sums = [float(each["sum"]) for each in self.by_label.values()]
        means = [float(each.result()) for each in self.spread]
        return np.array([*means, sum(self.largest), len(self.largest), sum(sums), self.noise])


class Tallies(callbacks.Callback):
    """A callback of a user with a state of its own form; it changes what is trained."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[int] = set()

    def get_state(self) -> dict[str, Any]:
        return {"seen": sorted(self.seen)}

    def set_state(self, state: Any) -> None:
        self.seen = set(state["seen"])

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.seen.add(len(self.seen))
        self.model.optimizer.learning_rate = 0.01 / len(self.seen)


class Alternates(optimizers.SGD):  # type: ignore[misc, name-defined]
    """An optimizer of a user that keeps a number and a list beside its slots."""

    def __init__(self) -> None:
        super().__init__(0.1)
        self.turn, self.norms = 1.0, [0.0]

    def begin_step(self, learning_rate: Any) -> None:
        self.turn = -0.5 * self.turn + self.norms[-1]
        self.norms.append(self.turn + len(self.norms))

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any, decay: float) -> None:
        variable.value[...] -= np.float32(0.01 * self.turn) * gradient

    def get_state(self) -> dict[str, Any]:
        return {"slots": super().get_state(), "own": (self.turn, self.norms)}

    def set_state(self, state: Any) -> None:
        super().set_state(state["slots"])
        self.turn, self.norms = state["own"]


class Reorders:
    """Numbered batches in an order that depends on all epochs so far, of no random numbers."""

    def __init__(self) -> None:
        self.order = list(range(6))

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, number: int) -> Any:
        start = 4 * self.order[number]
        return X[start : start + 4], Y[start : start + 4]

    def on_epoch_end(self) -> None:
        self.order = self.order[2:] + self.order[1::-1]

    def get_state(self) -> list[int]:
        return self.order

    def set_state(self, state: list[int]) -> None:
        self.order = state


VARIANTS: dict[str, Callable[[], dict[str, Any]]] = {
    "metric": lambda: {"compiled": lambda: [Extremes()]},
    "callback": lambda: {"others": lambda: [Tallies()]},
    "optimizer": lambda: {"optimizer": Alternates},
    "data": lambda: {"x": Reorders, "y": None},
}


@pytest.mark.parametrize("name", VARIANTS)
def test_a_part_of_a_user_comes_back_whole(name: str, tmp_path: Path) -> None:
    assert_deaths_change_nothing(VARIANTS[name](), tmp_path)


def test_what_cannot_be_kept_is_named_before_anything_is_trained(tmp_path: Path) -> None:
    class Odd(callbacks.Callback):
        state_names = ("made",)
        made = frozenset((1, 2))

    class Queues(metrics.Mean):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__(name="queues")
            self.parts = {"recent": [1, collections.deque()]}

    class Says(metrics.Mean):  # type: ignore[misc, name-defined]
        def get_state(self) -> dict[str, Any]:
            return {"own": [b"bytes"]}

    class Walks(layers.Dense):  # type: ignore[misc, name-defined]
        def get_state(self) -> dict[str, Any]:
            return {"own": object()}

    def updates(**arguments: Any) -> None:
        begun = Begun()
        fit(tmp_path, *arguments.pop("others", []), begun, **arguments)

    class Begun(callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            raise AssertionError("the training began")

    for arguments, message in (
        ({"others": [Odd()]}, r"Odd.*`made`.*frozenset"),
        ({"compiled": [Queues()]}, r"name=queues.*`parts\['recent'\]\[1\]`.*deque"),
        ({"compiled": [Says()]}, r"\['metrics'\]\[0\]\['own'\]\[0\] = b'bytes'"),
        ({"make": lambda: [Walks(1)], "x": X.astype("float32")}, r"\['layers'\].*\['own'\] = "),
    ):
        with pytest.raises(TypeError, match=message):
            updates(**arguments)
    assert not (tmp_path / FILE).exists()


def test_what_calls_return_can_be_kept(tmp_path: Path) -> None:
    loss = losses.MeanSquaredError()(Y, Y + 1)
    kept = {"array": layers.Dense(2)(np.ones((1, 3))), "number": loss, "list": [with_numpy(0.1)]}
    (tmp_path / "state").write_bytes(state_bytes(kept))
    read = read_state(tmp_path / "state")
    copied = get_attributes(SimpleNamespace(kept=kept), ["kept"])["kept"]
    for each in (read, copied):
        assert type(each["array"]) is np.ndarray
        assert (type(each["list"][0]), each["list"][0]) == (float, 0.1)
        np.testing.assert_equal(each, kept)
