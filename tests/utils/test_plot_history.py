"""The figure holds the curves of the history."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastrnn.callbacks import History
from fastrnn.utils import plot_history

CURVES = {
    "accuracy": [0.5, 0.7, 0.8, 0.9],
    "loss": [0.9, 0.6, 0.5, 0.4],
    "val_accuracy": [0.4, 0.6, 0.6, 0.5],
    "val_loss": [1.0, 0.8, 0.7, 0.9],
}


@pytest.fixture(autouse=True)
def closed_figures() -> Iterator[None]:
    matplotlib = pytest.importorskip("matplotlib")
    before = matplotlib.get_backend()
    matplotlib.use("agg")
    yield
    from matplotlib import pyplot

    pyplot.close("all")
    matplotlib.use(before)


def drawn(figure: Any) -> dict[str, dict[str, tuple[list[float], list[float]]]]:
    """The x and y of each curve, by chart and label."""
    return {
        chart.get_title(): {
            line.get_label(): (list(line.get_xdata()), list(line.get_ydata()))
            for line in chart.get_lines()
        }
        for chart in figure.axes
    }


def test_a_dict() -> None:
    charts = drawn(plot_history(CURVES))
    assert list(charts) == ["loss", "accuracy"]
    for name, chart in charts.items():
        assert chart == {
            "training": ([1, 2, 3, 4], CURVES[name]),
            "validation": ([1, 2, 3, 4], CURVES["val_" + name]),
        }


def test_a_history_knows_its_epochs() -> None:
    history = History()
    history.epoch = [4, 5]
    history.history = {"loss": [0.25, 0.2], "learning_rate": [0.1, 0.1]}
    charts = drawn(plot_history(history))
    assert charts == {
        "loss": {"training": ([5, 6], [0.25, 0.2])},
        "learning_rate": {"training": ([5, 6], [0.1, 0.1])},
    }


def test_a_data_frame() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"epoch": [2, 3, 4, 5], **CURVES})
    charts = drawn(plot_history(frame))
    assert list(charts) == ["loss", "accuracy"]
    assert charts["loss"]["validation"] == ([3, 4, 5, 6], CURVES["val_loss"])


def test_validation_of_some_epochs() -> None:
    charts = drawn(plot_history({"loss": [5.0, 4.0, 3.0, 2.0, 1.0], "val_loss": [4.5, 2.5]}))
    assert charts["loss"]["validation"] == ([2, 4], [4.5, 2.5])


def test_one_epoch_is_a_point_and_classes_are_curves() -> None:
    figure = plot_history({"loss": [1.0], "val_f1": [[0.1, 0.2]]})
    assert figure.axes[0].get_lines()[0].get_marker() == "o"
    want = {"validation 0": ([1], [0.1]), "validation 1": ([1], [0.2])}
    assert drawn(figure)["f1"] == want


def test_chosen_metrics_size_title_and_file(tmp_path: Path) -> None:
    path = tmp_path / "charts" / "curves.png"
    figure = plot_history(CURVES, metrics=["accuracy"], path=path, title="LSTM", figsize=(4, 3))
    assert list(drawn(figure)) == ["accuracy"]
    assert figure.get_suptitle() == "LSTM"
    assert tuple(figure.get_size_inches()) == (4.0, 3.0)
    assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("history", "arguments", "error", "message"),
    [
        ([0.5], {}, TypeError, "`history` must be what `fit` returned"),
        ({}, {}, ValueError, "nothing to draw"),
        (CURVES, {"metrics": ["auc"]}, ValueError, r"`metrics` must be a list of .*\['auc'\]"),
        (CURVES, {"metrics": "loss"}, ValueError, "`metrics` must be a list"),
        ({"loss": 0.5}, {}, ValueError, "list with a number per epoch.*loss=0.5"),
    ],
)
def test_refused(history: Any, arguments: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        plot_history(history, **arguments)


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*(name for name in sys.modules if name.startswith("matplotlib")), "matplotlib"]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r"pip install 'fastrnn\[plot\]'"):
        plot_history(CURVES)


def test_runs_without_a_display(run_python: Callable[..., Any]) -> None:
    code = "from fastrnn.utils import plot_history; plot_history({'loss': [1.0, 0.5]}); print('ok')"
    run = run_python(code, DISPLAY=None, WAYLAND_DISPLAY=None, MPLBACKEND=None)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "ok"


def test_arrays_of_numpy() -> None:
    charts = drawn(plot_history({"loss": np.array([1.0, 0.5], np.float32)}))
    assert charts["loss"]["training"] == ([1, 2], [1.0, 0.5])
