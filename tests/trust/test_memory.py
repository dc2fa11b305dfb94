"""Memory: flat over thousands of steps, as large as a formula says, and what happens without."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

RunPython = Callable[..., subprocess.CompletedProcess[str]]

BENCH = Path(__file__).resolve().parents[2] / "bench"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc and limits memory")

HEAD = """
import os, resource
import numpy as np
import fastrnn
from fastrnn import layers, models

fastrnn.set_num_threads(2)
rng = np.random.default_rng(0)

def made(units=8, features=4, **options):
    fastrnn.utils.set_random_seed(1)
    model = models.Sequential([
        layers.Input((None, features)),
        layers.LSTM(units, **options),
        layers.Dense(1, activation="sigmoid"),
    ])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model

def batch(rows, steps, features=4):
    x = rng.standard_normal((rows, steps, features), dtype=np.float32)
    return x, rng.integers(0, 2, (rows, 1)).astype(np.float32)

def pages(column):
    with open("/proc/self/statm") as file:
        return int(file.read().split()[column]) * resource.getpagesize()

"""

FLAT = """
model = made(dropout=0.1, recurrent_dropout=0.1)
batches = [batch(rows, steps) for rows, steps in [(4, 5), (7, 9), (3, 6), (1, 1), (6, 8)]]

def steps(count):
    for k in range(count):
        model.train_on_batch(*batches[k % len(batches)])

def predicts(count):
    for k in range(count):
        model.predict(batches[k % len(batches)][0], verbose=0)

for work in (steps, predicts):
    work(1_000)
    before = pages(1)
    work(9_000)
    print((pages(1) - before) / 1024)
"""


def test_ten_thousand_steps_and_predicts_are_flat(run_python: RunPython) -> None:
    """A leak of 50 bytes in each would show."""
    done = run_python(HEAD + FLAT)
    assert done.returncode == 0, done.stderr
    growths = [float(line) for line in done.stdout.split()]  # kB
    assert len(growths) == 2
    assert max(growths) < 450, growths


PEAK = """
import sys
sys.path.insert(0, BENCH)
from comparison.worker import forget_peak_memory, peak_memory_mb
from measure.memory_formula import training_mb
from measure.problems import Problem

tiny = Problem(batch=4, steps=3, units=4, features=3)
tiny.model().train_on_batch(*tiny.data())  # imports what is imported late, starts threads
problem = Problem(**CASE)
model, (x, y) = problem.model(), problem.data()
forget_peak_memory()
before = peak_memory_mb()
for _ in range(5):
    model.train_on_batch(x, y)
print(peak_memory_mb() - before, training_mb(problem))
"""

CASES = [
    {"cell": "LSTM", "batch": 64, "steps": 200, "units": 128},
    {"cell": "GRU", "batch": 32, "steps": 400, "units": 100},
    {"cell": "LSTM", "batch": 64, "steps": 200, "units": 100, "inputs": "tokens"},
    {"cell": "SimpleRNN", "batch": 64, "steps": 400, "units": 100, "inputs": "tokens"},
    {"cell": "LSTM", "batch": 32, "steps": 20, "units": 512, "features": 256},
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case.values())))
def test_peak_of_training_is_what_the_formula_says(
    case: dict[str, object], run_python: RunPython
) -> None:
    done = run_python(HEAD + PEAK.replace("BENCH", repr(str(BENCH))).replace("CASE", repr(case)))
    assert done.returncode == 0, done.stderr
    measured, predicted = map(float, done.stdout.split())
    assert predicted == pytest.approx(measured, rel=0.2)


@pytest.mark.parametrize("slot", [3, 7, 14])
def test_an_optimizer_without_memory_for_its_slots_makes_them_later(
    slot: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fastrnn
    from fastrnn import layers, models, optimizers

    def made() -> models.Sequential:
        fastrnn.utils.set_random_seed(1)
        model = models.Sequential([layers.Input((3, 2)), layers.GRU(4), layers.Dense(1)])
        model.compile(optimizers.Adam(amsgrad=True, use_ema=True), "mse")
        return model

    model, twin = made(), made()
    x, y = np.ones((5, 3, 2), np.float32), np.ones((5, 1), np.float32)
    add_slot, calls = optimizers.Optimizer.add_slot, []

    def failing(self: optimizers.Optimizer, *arguments: Any) -> np.ndarray:
        calls.append(arguments)
        if len(calls) == slot + 1:
            raise MemoryError
        return add_slot(self, *arguments)

    monkeypatch.setattr(optimizers.Optimizer, "add_slot", failing)
    with pytest.raises(MemoryError):
        model.train_on_batch(x, y)
    model.reset_metrics()
    for each in (model, twin):
        each.train_on_batch(x, y)
    weights = ([*each.weights, *each.optimizer.slots] for each in (model, twin))
    for a, b in zip(*weights, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


SHORT = """
model, twin = made(64), made(64)
small, large = batch(8, 10), batch(64, 300)  # `large` needs about 35 MB
for each in (model, twin):
    each.train_on_batch(*small)

def limited(megabytes, call):
    room = pages(0) + int(megabytes * 2**20)
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (room, before[1]))
    try:
        call()
    except MemoryError:
        return False
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
    return True

def bits(model):
    return [weight.tobytes() for weight in model.get_weights()]

refused = 0
for megabytes in [0, 1, 2, 4, 6, 9, 12, 16, 20, 25, 30, 40]:
    for call in (model.train_on_batch, model.evaluate, model.fit):
        before, options = bits(model), {} if call == model.train_on_batch else {"verbose": 0}
        if call == model.fit:
            options |= {"batch_size": 64, "shuffle": False}
        if limited(megabytes, lambda: call(*large, **options)):
            if call != model.evaluate:
                twin.train_on_batch(*large)
        else:
            refused += 1
            assert bits(model) == before, "a step that failed moved weights"
        assert bits(model) == bits(twin)
assert refused > 6, refused
model.train_on_batch(*small), twin.train_on_batch(*small)
assert bits(model) == bits(twin)
assert np.array_equal(model.predict(small[0], verbose=0), twin.predict(small[0], verbose=0))
print(refused, "refused")
"""


def test_without_memory_a_call_fails_and_the_model_goes_on(run_python: RunPython) -> None:
    """MemoryError wherever it strikes; the model's next steps are those of one that had enough."""
    # Another thread's arena would be 64 MB of address space that are taken already.
    done = run_python(HEAD + SHORT, OMP_STACKSIZE="256k", MALLOC_ARENA_MAX="1")
    assert done.returncode == 0, done.stderr + done.stdout
    assert done.stdout.endswith("refused\n")
