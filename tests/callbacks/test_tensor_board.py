"""TensorBoard: names, steps and values of the curves in the files."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastrnn import callbacks, layers, optimizers
from fastrnn.models import Sequential

X = np.arange(20, dtype=np.float32).reshape(10, 2) / 10
Y = X[:, :1] - X[:, 1:] * 0.3
Curves = dict[str, dict[int, float]]


def model() -> Sequential:
    made = Sequential([layers.Input((2,)), layers.Dense(1, name="head")])
    made.compile(optimizers.SGD(0.05), "mse", metrics=["mae"])
    return made


def events(folder: Path) -> list[Any]:
    """Read event files: records of length (8 bytes), its checksum (4), data, checksum (4)."""
    from tensorboardX.proto.event_pb2 import Event

    found = []
    for file in sorted(folder.glob("events.*")):
        data, at = file.read_bytes(), 0
        while at < len(data):
            (size,) = struct.unpack_from("<Q", data, at)
            found.append(Event.FromString(data[at + 12 : at + 12 + size]))
            at += size + 16
    return found


def curves(folder: Path) -> Curves:
    found: Curves = {}
    for event in events(folder):
        for value in event.summary.value:
            if value.HasField("simple_value"):
                found.setdefault(value.tag, {})[event.step] = value.simple_value
    return found


def assert_curve(curve: dict[int, float], wanted: list[float], first: int = 0) -> None:
    assert sorted(curve) == list(range(first, first + len(wanted)))
    np.testing.assert_allclose([curve[step] for step in sorted(curve)], wanted, rtol=1e-6)


def test_curves_are_those_of_the_history(tmp_path: Path) -> None:
    board = callbacks.TensorBoard(tmp_path)
    halve = callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    history = (
        model()
        .fit(X, Y, 4, 3, 0, validation_data=(X[:3], Y[:3] + 1), callbacks=[halve, board])
        .history
    )
    train, test = curves(tmp_path / "train"), curves(tmp_path / "validation")
    assert set(train) == {"epoch_loss", "epoch_mae", "epoch_learning_rate"}
    assert_curve(train["epoch_learning_rate"], [0.025, 0.0125, 0.00625])
    for name in ("loss", "mae"):
        assert_curve(train[f"epoch_{name}"], history[name])
        assert_curve(test[f"epoch_{name}"], history[f"val_{name}"])
        over_updates = test[f"evaluation_{name}_vs_iterations"]
        assert sorted(over_updates) == [3, 6, 9]
        np.testing.assert_allclose(list(over_updates.values()), history[f"val_{name}"], rtol=1e-6)
    assert len(test) == 4


@pytest.mark.parametrize(("update_freq", "steps"), [("batch", [1, 2, 3, 4, 5, 6]), (4, [4])])
def test_curves_over_steps(tmp_path: Path, update_freq: Any, steps: list[int]) -> None:
    seen: list[float] = []
    watch = callbacks.LambdaCallback(on_train_batch_end=lambda _, logs: seen.append(logs["loss"]))
    board = callbacks.TensorBoard(str(tmp_path), 0, True, False, True, update_freq)
    model().fit(X, Y, 4, 2, 0, callbacks=[watch, board])
    train = curves(tmp_path / "train")
    assert sorted(train["batch_loss"]) == steps
    for step, value in train["batch_loss"].items():
        assert value == pytest.approx(seen[step - 1], rel=1e-6)
    assert sorted(train["batch_steps_per_second"]) == steps
    assert min(train["epoch_steps_per_second"].values()) > 0
    assert not (tmp_path / "validation").exists()


def test_evaluate_alone_writes_and_closes(tmp_path: Path) -> None:
    board = callbacks.TensorBoard(tmp_path)
    loss, _ = model().evaluate(X, Y, verbose=0, callbacks=[board])
    assert_curve(curves(tmp_path / "validation")["evaluation_loss_vs_iterations"], [loss])


def test_histograms_hold_the_weights(tmp_path: Path) -> None:
    made = model()
    board = callbacks.TensorBoard(tmp_path, histogram_freq=2)
    made.fit(X, Y, epochs=3, verbose=0, callbacks=[board])
    found = {
        (value.tag, event.step): value.histo
        for event in events(tmp_path / "train")
        for value in event.summary.value
        if value.HasField("histo")
    }
    tags = [f"{weight.path}/histogram" for weight in made.weights]
    assert set(found) == {(tag, step) for tag in tags for step in (0, 2)}
    kernel = made.get_weights()[0]
    assert found[tags[0], 2].num == 2
    assert found[tags[0], 2].sum == pytest.approx(float(kernel.sum()), rel=1e-5)


def test_metrics_of_several_numbers_have_several_curves(tmp_path: Path) -> None:
    board = callbacks.TensorBoard(tmp_path)
    board.set_model(model())
    board.on_epoch_end(4, {"f1": np.array([0.25, 0.75])})
    board.on_train_end()
    train = curves(tmp_path / "train")
    assert train["epoch_f1/0"] == {4: 0.25}
    assert train["epoch_f1/1"] == {4: 0.75}


def test_what_is_not_written_is_said(tmp_path: Path) -> None:
    for arguments in ({"profile_batch": "2,5"}, {"embeddings_freq": 1}):
        with pytest.warns(UserWarning, match="have no effect"):
            callbacks.TensorBoard(tmp_path, **arguments)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("update_freq", value) for value in (0, -1, "step", 1.5, None)),
        ("histogram_freq", -1),
        ("histogram_freq", 0.5),
    ],
)
def test_refuses(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"`{name}` must be .* Received: {name}={value!r}"):
        callbacks.TensorBoard(**{name: value})
