"""What happens in a job of several ranks: decisions, files, differences, failures, resuming."""

from __future__ import annotations

import pickle
import sys
import textwrap
from pathlib import Path
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import distribution, layers
from fastrnn.parallel import Ranks
from support.mpi import needs_mpi, run_ranks, run_script

BEGIN = """
import os, pickle, signal, sys, warnings
import numpy as np
import fastrnn
from fastrnn import callbacks, distribution, layers

FOLDER = os.environ.get("FOLDER", "")
distribution.initialize()
own = distribution.DataParallel(groups=4)
distribution.set_distribution(own)
RANK = own.rank
rng = np.random.default_rng(1)
X, Y = rng.normal(size=(30, 4, 2)), rng.normal(size=(30, 1))


def make(optimizer="adam"):
    fastrnn.backend.clear_session()
    fastrnn.utils.set_random_seed(5)
    model = fastrnn.Sequential([layers.GRU(3, dropout=0.2), layers.Dense(1)])
    model.build((None, 4, 2))
    model.compile(optimizer, "mse", metrics=["mae"])
    return model


def fit(model, *others, x=X, y=Y, **arguments):
    arguments = {"epochs": 3, "batch_size": 8, "verbose": 0, **arguments}
    return model.fit(x, y, callbacks=list(others), **arguments)


class At(callbacks.Callback):
    # Does something on one rank after a step.
    def __init__(self, rank, step, action):
        super().__init__()
        self.rank, self.step, self.action, self.seen = rank, step, action, 0

    def on_train_batch_end(self, batch, logs=None):
        self.seen += 1
        if self.seen == self.step and RANK == self.rank:
            self.action(self.model)


def fail(model):
    raise RuntimeError("the disk is on fire")


def write(**found):
    with open(f"{FOLDER}/{RANK}.pickle", "wb") as file:
        pickle.dump(found, file)
"""


def run(
    ranks: int, script: str, folder: Path | None = None, timeout: float = 60.0, **variables: str
) -> Any:
    if folder is not None:
        variables["FOLDER"] = str(folder)
    text = BEGIN + textwrap.dedent(script)
    return run_script(ranks, text, timeout=timeout, **variables)


def found_by_ranks(ranks: int, script: str, folder: Path) -> list[dict[str, Any]]:
    done = run(ranks, script, folder)
    assert done.returncode == 0, done.stderr
    return [pickle.loads((folder / f"{rank}.pickle").read_bytes()) for rank in range(ranks)]


# ------------------------------------------------------------------------ decisions of callbacks


@needs_mpi
def test_decisions_on_one_rank_reach_all(tmp_path: Path) -> None:
    script = """
        def stop(model):
            model.stop_training = True

        def slower(model):
            model.optimizer.learning_rate = 0.5

        def interrupt(model):
            os.kill(os.getpid(), signal.SIGINT)

        found = {}
        for name, action, rank in (
            ("stop", stop, 1), ("slower", slower, 0), ("interrupt", interrupt, 1)
        ):
            model = make()
            try:
                fit(model, At(rank, 2, action))
            except KeyboardInterrupt:
                name = "interrupted"
            found[name] = (
                model.optimizer.iterations,
                float(model.optimizer.learning_rate),
                model.get_weights(),
            )
        model = make()
        waits = callbacks.EarlyStopping("loss", patience=0, min_delta=9.0)
        found["waits"] = fit(model, waits).epoch, 0.001, model.get_weights()
        write(**found)
    """
    ranks = found_by_ranks(2, script, tmp_path)
    for found in ranks:
        assert found["stop"][0] == 2
        assert found["slower"][:2] == (12, 0.5)
        assert found["interrupted"][0] == 3  # the step in which the other rank hears of it
        assert found["waits"][0] == [0, 1]
    for name in ranks[0]:
        for one, other in zip(ranks[0][name][2], ranks[1][name][2], strict=True):
            np.testing.assert_array_equal(one, other)


@needs_mpi
def test_only_rank_0_writes_and_prints(tmp_path: Path) -> None:
    script = """
        class Notes(callbacks.Callback):
            first_rank_only = True

            def on_epoch_end(self, epoch, logs=None):
                open(f"{FOLDER}/notes{RANK}", "w").close()

        model = make()
        fit(
            model,
            callbacks.ModelCheckpoint(f"{FOLDER}/model{RANK}.keras"),
            callbacks.CSVLogger(f"{FOLDER}/log{RANK}.csv"),
            callbacks.TensorBoard(f"{FOLDER}/board{RANK}"),
            callbacks.BackupAndRestore(f"{FOLDER}/backup{RANK}", delete_checkpoint=False),
            callbacks.LearningRateScheduler(lambda epoch: 0.001, verbose=1),
            Notes(),
            validation_data=(X[:5], Y[:5]),
            verbose=2,
        )
    """
    done = run(2, script, tmp_path)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "backup0",
        "board0",
        "log0.csv",
        "model0.keras",
        "notes0",
    ]
    assert done.stdout.count("Epoch 1/3") == 1
    assert done.stdout.count("Epoch 1: learning rate set to") == 1
    fastrnn.models.load_model(tmp_path / "model0.keras")


# ------------------------------------------------------------------------------------- resuming


RESUMED = """
    class Dies(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.optimizer.iterations == int(os.environ["DIES"]) and RANK == 2:
                os.kill(os.getpid(), signal.SIGKILL)

    model = make()
    others = [Dies()]
    if os.environ["BACKUP"]:
        others.append(callbacks.BackupAndRestore(f"{FOLDER}/backup", save_freq=2))
    history = fit(model, *others, validation_data=(X[:7], Y[:7]))
    write(weights=model.get_weights(), history=history.history)
"""


@needs_mpi
def test_a_job_killed_on_four_ranks_goes_on_with_two_to_the_same_bits(tmp_path: Path) -> None:
    whole, resumed = tmp_path / "whole", tmp_path / "resumed"
    whole.mkdir()
    resumed.mkdir()
    done = run(1, RESUMED, whole, DIES="-1", BACKUP="")
    assert done.returncode == 0, done.stderr
    killed = run(4, RESUMED, resumed, DIES="7", BACKUP="1")
    assert killed.returncode != 0
    assert (resumed / "backup").is_dir()
    assert not list(resumed.glob("*.pickle"))
    done = run(2, RESUMED, resumed, DIES="-1", BACKUP="1")
    assert done.returncode == 0, done.stderr
    want = pickle.loads((whole / "0.pickle").read_bytes())
    for rank in range(2):
        got = pickle.loads((resumed / f"{rank}.pickle").read_bytes())
        assert got["history"] == want["history"]
        for one, other in zip(got["weights"], want["weights"], strict=True):
            np.testing.assert_array_equal(one, other)


# ---------------------------------------------------------------------------------- differences


@needs_mpi
def test_ranks_that_differ_are_refused_on_all_of_them(tmp_path: Path) -> None:
    script = """
        def refused(work):
            try:
                work()
            except (ValueError, RuntimeError) as error:
                return str(error)

        def others(epochs=3):
            model = make()
            if RANK:
                model.layers[-1].kernel.value[...] += 1e-3
            fit(model)

        def drifts():
            def moves(model):
                model.layers[-1].kernel.value[...] += 1e-3
            fit(make(), At(1, 3, moves))

        def batches():
            for rows in (slice(8), slice(8 - RANK)):
                yield X[rows], Y[rows]

        rows = slice(30 - RANK)
        changed = X.copy()
        changed[0] += RANK
        found = {
            "weights": refused(others),
            "rows": refused(lambda: fit(make(), x=X[rows], y=Y[rows])),
            "values": refused(lambda: fit(make(), x=changed)),
            "epochs": refused(lambda: fit(make(), epochs=3 + RANK)),
            "optimizer": refused(lambda: fit(make("sgd" if RANK else "adam"))),
            "drifts": refused(drifts),
            "batches": refused(lambda: make().fit(batches(), verbose=0)),
            "ends": refused(lambda: make().fit(iter([(X, Y)] * (3 - RANK)), verbose=0)),
            "tests": refused(lambda: make().evaluate(X[rows], Y[rows], verbose=0)),
        }
        # What all ranks refuse alike leaves the job as it was.
        found["after"] = fit(make()).epoch
        write(**found)
    """
    for found in found_by_ranks(2, script, tmp_path):
        assert "The weights before the training" in found["weights"]
        assert "on rank 1" in found["weights"]
        assert "the data of the training" in found["rows"]
        assert "first rows" in found["values"]
        assert "the epochs" in found["epochs"]
        assert "SGD" in found["optimizer"]
        assert "The weights after an epoch" in found["drifts"]
        assert "batches of [8, 7] rows" in found["batches"]
        assert "batches of [30, 0] rows" in found["ends"]
        assert "batches of [[30], [29]] rows" in found["tests"]
        assert found["after"] == [0, 1, 2]


@needs_mpi
def test_ranks_on_different_cpus_take_the_weights_of_the_first(tmp_path: Path) -> None:
    script = """
        def moves(model):
            model.layers[-1].kernel.value[...] += 1e-7
        own._job.ranks.differ = True
        model = make()
        fit(model, At(1, 3, moves))
        write(weights=model.get_weights(), slots=[each.value for each in model.optimizer.slots])
    """
    one, other = found_by_ranks(2, script, tmp_path)
    for name in one:
        for left, right in zip(one[name], other[name], strict=True):
            np.testing.assert_array_equal(left, right)


@needs_mpi
def test_software_is_compared_and_isa_levels_are_brought_together(tmp_path: Path) -> None:
    levels = fastrnn.get_config()["isa_levels_usable"]
    script = tmp_path / "levels.py"
    script.write_text(
        textwrap.dedent(
            """
            import sys, warnings
            import numpy as np
            import fastrnn
            from fastrnn import distribution
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                distribution.initialize()
            level = fastrnn.get_config()["isa"]
            rank = distribution.DataParallel().rank
            with open(f"{sys.argv[1]}/rank{rank}", "w") as file:
                file.write(f"{level} {len(caught)} {float(np.random.rand())}")
            fastrnn._core.__version__ = f"0.{rank}"
            distribution.initialization._ranks = None
            distribution.initialize()
            """
        )
    )
    command = [str(script), str(tmp_path)]
    lowest = ["env", f"FASTRNN_ISA={levels[-1]}", sys.executable, *command]
    done = run_ranks(1, *command, ":", "-n", "1", *lowest)
    first, second = ((tmp_path / f"rank{rank}").read_text() for rank in range(2))
    assert first.split()[0] == second.split()[0] == levels[-1]
    assert first.split()[2] == second.split()[2]
    assert first.split()[1] == ("1" if len(levels) > 1 else "0")  # rank 0 warns
    assert second.split()[1] == "0"
    assert done.returncode != 0
    assert "the version of fastrnn is '0.0' on rank 0, '0.1' on rank 1" in done.stderr


# ------------------------------------------------------------------------------------- failures


FAILURES = {
    "a callback raises": ("fit(make(), At(1, 3, fail))", "the disk is on fire"),
    "somebody catches it": (
        """
        try:
            fit(make(), At(1, 3, fail))
        except RuntimeError as error:
            print(f"{RANK}: {error}", file=sys.stderr)
            if RANK == 0:
                raise
        fit(make())
        """,
        "Rank 1 does not go on",
    ),
    "a rank is killed": (
        "fit(make(), At(1, 3, lambda model: os.kill(os.getpid(), signal.SIGKILL)))",
        "",
    ),
    "a script fails outside": (
        "if RANK == 1:\n    fail(None)\nfit(make())",
        "the disk is on fire",
    ),
    "the others compute on": (
        "import time\nif RANK == 1:\n    fail(None)\ntime.sleep(300)",
        "the disk is on fire",
    ),
    "a rank evaluates alone": (
        "model = make()\nfit(model)\nif RANK == 1:\n    model.evaluate(X, Y)",
        "must be called by all",
    ),
    "one rank evaluates, one predicts": (
        "model = make()\nfit(model)\nmodel.evaluate(X, Y) if RANK else model.predict(X)",
        "all ranks must call the same methods",
    ),
}


@needs_mpi
@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_on_one_rank_ends_all(name: str) -> None:
    script, said = FAILURES[name]
    done = run(2, script, timeout=60.0)
    assert done.returncode != 0
    assert said in done.stderr
    if name == "a callback raises":
        assert "Rank 1 of 2 ends all ranks" in done.stderr
        assert "in fail" in done.stderr  # the traceback of the rank


@needs_mpi
def test_what_fails_on_all_ranks_alike_can_be_caught(tmp_path: Path) -> None:
    script = """
        model = make()
        found = []
        for rank in range(2):
            try:
                fit(model, At(RANK, 3, fail))
            except RuntimeError as error:
                found.append(str(error))
        write(found=found, epochs=fit(model).epoch, loss=model.evaluate(X, Y, verbose=0))
    """
    one, other = found_by_ranks(2, script, tmp_path)
    assert one == other
    assert one["found"] == ["the disk is on fire"] * 2
    assert one["epochs"] == [0, 1, 2]


@needs_mpi
def test_several_processes_without_initialize_are_refused() -> None:
    script = "from fastrnn import distribution as d; d.DataParallel()"
    done = run_script(2, script)
    assert done.returncode != 0
    assert "call `fastrnn.distribution.initialize()` first" in done.stderr


@needs_mpi
@pytest.mark.parametrize("name", ["NUM_PROCESSES", "PROCESS_ID"])
def test_keras_variables_are_compared_with_mpi(name: str) -> None:
    script = "from fastrnn import distribution as d; d.initialize()"
    done = run_script(1, script, **{f"KERAS_DISTRIBUTION_{name}": "3"})
    assert done.returncode != 0
    assert f"KERAS_DISTRIBUTION_{name}) must be what MPI says" in done.stderr


# ------------------------------------------------------------------------------- without `mpiexec`


@pytest.fixture
def grouped() -> Any:
    with distribution.DataParallel(groups=2).scope() as found:
        yield found


@pytest.mark.usefixtures("grouped")
@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (layers.BatchNormalization(), "must not train a BatchNormalization"),
        (layers.GRU(2, stateful=True, return_sequences=True), "must not be stateful"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "train_on_batch"])
def test_layers_that_need_whole_batches_are_refused(layer: Any, message: str, method: str) -> None:
    model = fastrnn.Sequential(
        [layers.Input(batch_shape=(4, 3, 2)), layer, layers.GRU(2), layers.Dense(1)]
    )
    model.compile("adam", "mse")
    before = model.get_weights()
    with pytest.raises(ValueError, match=message):
        getattr(model, method)(np.ones((4, 3, 2)), np.ones(4))
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.usefixtures("grouped")
def test_frozen_batch_statistics_are_trained_around() -> None:
    model = fastrnn.Sequential(
        [layers.Input((3, 2)), layers.BatchNormalization(trainable=False), layers.GRU(2)]
    )
    model.compile("adam", "mse")
    assert np.isfinite(model.train_on_batch(np.ones((4, 3, 2)), np.ones((4, 2))))


def test_batches_one_by_one_are_those_of_no_distribution(grouped: Any) -> None:
    def results(steps: int = 3) -> Any:
        fastrnn.utils.set_random_seed(1)
        x, y = np.random.default_rng(0).normal(size=(5, 4, 2)), np.arange(5.0)
        model = fastrnn.Sequential([layers.GRU(3), layers.Dense(1)])
        model.compile("adam", "mse", metrics=["mae"])
        found = [model.train_on_batch(x, y) for _ in range(steps)]
        return [*found, model.test_on_batch(x, y), model.predict_on_batch(x).tolist()]

    got = results()
    distribution.set_distribution(None)
    want = results()
    distribution.set_distribution(grouped)
    for one, other in zip(got, want, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)


@pytest.mark.parametrize(
    "arguments",
    [{"groups": 0}, {"devices": ["cpu:7"]}, {"device_mesh": 1}, {"auto_shard_dataset": False}],
)
def test_bad_arguments(arguments: Any) -> None:
    with pytest.raises(ValueError, match=next(iter(arguments))):
        distribution.DataParallel(**arguments)


def test_processes_without_work_are_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    four = Ranks()
    four.size = 4
    monkeypatch.setattr("fastrnn.distribution.data_parallel.ranks", lambda: four)
    with pytest.warns(UserWarning, match="Only 3 of 4 processes have work"):
        distribution.DataParallel(groups=3)
    assert distribution.DataParallel().groups == 4


def test_bad_distribution() -> None:
    with pytest.raises(TypeError, match="`value` must be a `DataParallel`"):
        distribution.set_distribution("data")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="device_type"):
        distribution.list_devices("gpu")
