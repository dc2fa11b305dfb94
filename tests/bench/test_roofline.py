"""Counted operations, probes of the machine, phases of a step, and the script that shows them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import fastrnn
import numpy as np
import pytest
from fastrnn import _core, kernels, layers, models
from measure.flops import DensePass, RecurrentPass
from measure.peaks import Peaks
from measure.phase_report import summary, table
from measure.phases import Phase, StepProfile
from measure.recording import Recorder

ROOFLINE = Path(__file__).resolve().parents[2] / "bench" / "roofline.py"

BATCH, STEPS, FEATURES, UNITS, VOCABULARY = 24, 5, 2, 3, 9
# Rows begin with 2, 4 and 0 zeros; one more zero stands in the middle of a row.
TOKENS = np.array([[0, 0, 4, 7, 4], [0, 0, 0, 0, 2], [7, 4, 0, 8, 2]] * 8)
RUNS = (2, 4, 0) * 8


class CountedProducts:
    """Matrix products, one multiply-add after the other, each counted as two operations."""

    def __init__(self) -> None:
        self.operations: Counter[str] = Counter()

    def __call__(self, phase: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        result = np.zeros((a.shape[0], b.shape[1]))
        for i, j, k in np.ndindex(*result.shape, a.shape[1]):
            result[i, j] += a[i, k] * b[k, j]
            self.operations[phase] += 2
        return result


def train_step(
    product: CountedProducts,
    inputs: np.ndarray,
    index: np.ndarray,
    runs: tuple[int, ...],
    w: np.ndarray,
    u: np.ndarray,
    d_last: np.ndarray,
    phases: tuple[str, str, str],
) -> tuple[np.ndarray, ...]:
    """A training step of h = tanh(sum over gates of x W_g + h U_g), in counted products.

    `inputs` are the rows that are projected, `index` [B, T] says which of them a position has, and
    a row's first `runs` steps are walked once for all rows. The sum makes it a SimpleRNN whose
    kernels are the sums of those of the gates, so it can be checked for any number of gates.
    `phases` are those of x W, of the gradient of W and of that of x.
    """
    units, columns = u.shape
    gates = columns // units
    projected = product(phases[0], inputs, w)
    d_projected = np.zeros_like(projected)
    pairs: list[tuple[np.ndarray, np.ndarray]] = []  # states, gradients of the gates behind them

    def forward(h: np.ndarray, row: int) -> np.ndarray:
        sums = projected[row] + product("forward recurrence", h, u)
        return np.tanh(sums.reshape(gates, units).sum(axis=0))[None]

    def backward(d_h: np.ndarray, h_prev: np.ndarray, h: np.ndarray, row: int) -> np.ndarray:
        d_gates = np.tile(d_h * (1 - h * h), gates)
        d_projected[row] += d_gates[0]
        pairs.append((h_prev, d_gates))
        return product("backward recurrence", d_gates, u.T)

    longest = int(np.argmax(runs))
    shared = [np.zeros((1, units))]
    for t in range(runs[longest]):
        shared.append(forward(shared[-1], index[longest, t]))
    d_shared = np.zeros((len(shared), 1, units))
    last = []
    for b, run in enumerate(runs):
        states = [shared[run]]
        for row in index[b, run:]:
            states.append(forward(states[-1], row))
        last.append(states[-1][0])
        d_h = d_last[b : b + 1]
        for t in range(index.shape[1] - 1, run - 1, -1):
            d_h = backward(d_h, states[t - run], states[t - run + 1], index[b, t])
        d_shared[run] += d_h
    for t in range(len(shared) - 2, -1, -1):
        d_shared[t] += backward(d_shared[t + 1], shared[t], shared[t + 1], index[longest, t])

    h_prev, d_gates = (np.concatenate(rows) for rows in zip(*pairs, strict=True))
    d_u = product("weight gradients", h_prev.T, d_gates)
    d_w = product(phases[1], inputs.T, d_projected)
    return np.array(last), d_w, d_u, product(phases[2], d_projected, w.T)


@pytest.mark.parametrize("gates", [1, 3, 4])
@pytest.mark.parametrize("lean", [False, True])
def test_formulas_against_a_training_step_in_single_multiply_adds(
    rng: np.random.Generator, gates: int, lean: bool
) -> None:
    embeddings = rng.normal(size=(VOCABULARY, FEATURES))
    w, u = (rng.normal(0, 0.5, (size, gates * UNITS)) for size in (FEATURES, UNITS))
    d_last = rng.normal(size=(BATCH, UNITS))
    product = CountedProducts()
    if lean:
        distinct, index = np.unique(TOKENS, return_inverse=True)
        index, runs = index.reshape(TOKENS.shape), RUNS
        inputs = embeddings[distinct]
        phases = ("projection", "input gradients", "input gradients")
    else:
        index, runs = np.arange(BATCH * STEPS).reshape(BATCH, STEPS), (0,) * BATCH
        inputs = embeddings[TOKENS].reshape(-1, FEATURES)
        phases = ("forward recurrence", "weight gradients", "backward recurrence")
    last, d_w, d_u, d_inputs = train_step(product, inputs, index, runs, w, u, d_last, phases)

    # It is the training step that it should be.
    summed = [array.reshape(-1, gates, UNITS).sum(axis=1) for array in (w, u)]
    outputs, _, tape = kernels.rnn_forward("simple_rnn", embeddings[TOKENS], *summed)
    np.testing.assert_allclose(outputs, last, rtol=1e-4, atol=1e-5)
    gradients = kernels.rnn_backward(tape, d_last)
    for expected, ours in ((gradients.kernel, d_w), (gradients.recurrent_kernel, d_u)):
        np.testing.assert_allclose(np.tile(expected, gates), ours, rtol=1e-4, atol=1e-5)
    if not lean:
        d_x = gradients.x.reshape(-1, FEATURES)
        np.testing.assert_allclose(d_x, d_inputs, rtol=1e-4, atol=1e-5)

    counted = RecurrentPass(
        gates=gates,
        batch=BATCH,
        steps=STEPS,
        features=FEATURES,
        units=UNITS,
        positions=TOKENS.size - sum(runs),
        prefix=max(runs),
        distinct=len(inputs) if lean else 0,
        input_gradient=True,
    )
    assert counted.executed() == product.operations
    assert lean == (counted.nominal() != product.operations)


def test_nominal_operations_are_those_of_the_dense_problem() -> None:
    nominal = RecurrentPass(4, 64, 200, 32, 50, 9_000, 180, 2_000, input_gradient=True).nominal()
    forward = 2 * 64 * 200 * 4 * 50 * (32 + 50)
    assert nominal["projection"] + nominal["forward recurrence"] == forward
    assert nominal.total() == 3 * forward
    without = RecurrentPass(4, 64, 200, 32, 50, 12_800, 0, 0, input_gradient=False)
    assert without.nominal().total() == 3 * forward - 2 * 64 * 200 * 4 * 50 * 32
    assert without.executed() == without.nominal()


def test_dense_products_are_counted_by_row_and_pass() -> None:
    assert DensePass(7, 5, 3, products=2).executed() == {"dense": 2 * 2 * 7 * 5 * 3}


def model_of(*above: layers.Layer) -> models.Sequential:
    model = models.Sequential(
        [
            layers.Input(shape=(STEPS,), dtype="int32"),
            layers.Embedding(VOCABULARY, FEATURES),
            *above,
        ]
    )
    model.compile(loss="mse", optimizer="adam")
    return model


def test_what_the_kernels_are_asked_for_is_recorded() -> None:
    model = model_of(
        layers.LSTM(UNITS, return_sequences=True), layers.GRU(4), layers.Dense(1, use_bias=False)
    )
    before = _core.rnn_forward
    with Recorder() as recorder:
        model.train_on_batch(TOKENS, np.ones((BATCH, 1)))
    assert _core.rnn_forward is before
    model.train_on_batch(TOKENS, np.ones((BATCH, 1)))  # is not recorded

    upper, lower = recorder.recurrent  # in the order of the backward passes
    assert lower == RecurrentPass(
        gates=4,
        batch=BATCH,
        steps=STEPS,
        features=FEATURES,
        units=UNITS,
        positions=TOKENS.size - sum(RUNS),
        prefix=max(RUNS),
        distinct=len(np.unique(TOKENS)),
        input_gradient=True,
        tape_bytes=lower.tape_bytes,
    )
    assert upper == RecurrentPass(
        3, BATCH, STEPS, UNITS, 4, TOKENS.size, 0, 0, True, upper.tape_bytes
    )
    assert lower.tape_bytes > 4 * 6 * UNITS * lower.positions  # h, c, four gates
    assert [step.products for step in recorder.dense] == [1, 2]
    assert recorder.dense[0] == DensePass(BATCH, 4, 1, 1)
    parameters = sum(array.size for array in model.get_weights())
    assert recorder.bytes_moved()["optimizer"] == 7 * 4 * parameters
    assert recorder.bytes_moved()["forward recurrence"] == lower.tape_bytes + upper.tape_bytes
    assert recorder.executed()["dense"] == 3 * 2 * BATCH * 4


def test_a_convolution_counts_a_row_for_each_window() -> None:
    model = model_of(layers.Conv1D(7, 3, strides=2), layers.LSTM(UNITS), layers.Dense(1))
    windows = (STEPS - 3) // 2 + 1
    with Recorder() as recorder:
        model.train_on_batch(TOKENS, np.ones((BATCH, 1)))
    forward, *_, backward = recorder.dense
    assert forward == DensePass(BATCH * windows, 3 * FEATURES, 7, products=1)
    assert backward == DensePass(BATCH * windows, 3 * FEATURES, 7, products=2)


def test_tokens_that_dropout_tells_apart_are_projected_one_by_one() -> None:
    model = model_of(layers.LSTM(UNITS, dropout=0.5), layers.Dense(1))
    with Recorder() as recorder:
        model.train_on_batch(TOKENS, np.ones((BATCH, 1)))
    (noted,) = recorder.recurrent
    assert (noted.distinct, noted.prefix, noted.positions) == (0, 0, TOKENS.size)
    assert noted.executed() == noted.nominal()


def test_multiply_adds_are_executed_on_every_thread(isa: str) -> None:
    one, total = _core.probe_multiply_adds(1, 1)
    # A chain starts at its number i and takes one step: i / 2 + 1. The lanes are alike.
    chains = {6 * n: sum(i / 2 + 1 for i in range(n)) * (one // (2 * n)) for n in (12, 24)}
    assert total in chains.values()
    for threads in (1, 2, 3):
        operations, total = _core.probe_multiply_adds(1_000, threads)
        assert operations % (1_000 * one) == 0
        assert operations <= 1_000 * one * threads
        assert total == operations / 1_000  # all chains are at 2, their fixed point


@pytest.mark.parametrize("size", [1, 7, 1_000, 100_003])
def test_memory_probes_touch_every_element(isa: str, rng: np.random.Generator, size: int) -> None:
    x, y = (rng.integers(-8, 8, size).astype(np.float32) for _ in range(2))
    out = np.full(size, np.nan, np.float32)
    for threads in (1, 2):
        assert _core.probe_read(x, threads) == x.sum()
        _core.probe_triad(out, x, y, 0.5, threads)
        np.testing.assert_array_equal(out, x + 0.5 * y)


def test_probes_refuse_bad_arguments() -> None:
    x = np.ones(4, np.float32)
    with pytest.raises(ValueError, match="`threads` must be"):
        _core.probe_multiply_adds(1, 0)
    with pytest.raises(ValueError, match="`steps` must not be negative"):
        _core.probe_multiply_adds(-1, 1)
    with pytest.raises(ValueError, match="`threads` must be"):
        _core.probe_read(x, 5_000)
    with pytest.raises(ValueError, match="`y` must have shape"):
        _core.probe_triad(x, x, x[:3], 1.0, 1)
    with pytest.raises(TypeError, match="`out`"):
        _core.probe_triad(np.ones(4), x, x, 1.0, 1)


def profile_of(phase_seconds: list[dict[str, float]], profiled: list[float]) -> StepProfile:
    return StepProfile(
        "tiny",
        "LSTM",
        nominal=Counter({"projection": 4e9, "forward recurrence": 8e9}),
        executed=Counter({"projection": 1e9, "forward recurrence": 6e9}),
        bytes_moved=Counter({"forward recurrence": 2e9}),
        tape_bytes=3e6,
        seconds=[1.0, 0.5, 4.0],
        profiled_seconds=profiled,
        phase_seconds=phase_seconds,
    )


def test_what_is_in_no_phase_is_python() -> None:
    rounds = [{"projection": 0.1 * n, "forward recurrence": 0.5 * n} for n in (1, 3, 2)]
    phases = profile_of(rounds, [1.0, 3.0, 2.0]).phases()
    assert [phase.name for phase in phases] == ["projection", "forward recurrence", "Python"]
    assert [phase.seconds for phase in phases] == pytest.approx([0.2, 1.0, 0.8])
    assert phases[1] == Phase("forward recurrence", 1.0, 8e9, 6e9, 2e9)


def test_weight_gradients_without_a_time_of_their_own_belong_to_the_walk_back() -> None:
    counts = Counter({"backward recurrence": 2.0, "weight gradients": 3.0})
    for own, expected in ((0.0, {"backward recurrence": 5.0}), (0.1, dict(counts))):
        times = {"backward recurrence": 0.5, "weight gradients": own}
        profile = profile_of([times], [1.0])
        profile.executed = counts
        found = {phase.name: phase.executed for phase in profile.phases() if phase.executed}
        assert found == expected
    assert counts["weight gradients"] == 3.0


def test_the_table_shows_rates_and_their_share_of_the_best_peak() -> None:
    profile = profile_of([{"projection": 0.25, "forward recurrence": 0.5}], [1.25])
    peaks = Peaks((2,), operations={2: [5e9, 20e9, 10e9]})
    rows = [line.split() for line in table(profile, peaks, 2).splitlines()[2:]]
    assert rows[0] == ["projection", "250", "20.0", "16.0", "4.00", "20"]
    assert rows[1] == ["forward", "recurrence", "500", "40.0", "16.0", "12.0", "60", "4.00"]
    assert rows[2] == ["Python", "500", "40.0"]
    assert rows[3] == ["step", "1000", "12.0", "7.00", "35"]
    last = summary([profile], peaks, 2).splitlines()[-1].split()
    assert last == ["tiny", "LSTM", "1000", "12000", "7000", "60", "35", "2.9", "25.0"]


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("rows", [5, 64])
def test_phases_and_waiting_add_up_to_time_that_has_passed(threads: int, rows: int) -> None:
    model = models.Sequential([layers.Embedding(500, 16), layers.LSTM(40), layers.Dense(1)])
    model.compile("adam", "mse")
    rng = np.random.default_rng(1)
    x, y = rng.integers(1, 500, (rows, 50)), rng.random(rows)
    before = fastrnn.get_num_threads()
    fastrnn.set_num_threads(threads)
    try:
        model.train_on_batch(x, y)
        _core.phase_seconds(reset=True)
        _core.set_profiling(True)
        begin = time.perf_counter()
        for _ in range(5):
            model.train_on_batch(x, y)
        passed = time.perf_counter() - begin
    finally:
        _core.set_profiling(False)
        fastrnn.set_num_threads(before)
    seconds = _core.phase_seconds(reset=True)
    assert all(value >= 0.0 for value in seconds.values())
    for name in ("forward recurrence", "backward recurrence", "optimizer", "waiting"):
        assert seconds[name] > 0.0, name
    # Threads that work at the same time must not be counted twice.
    assert sum(seconds.values()) <= passed
    assert not any(_core.phase_seconds().values())


def test_peaks_are_measured_for_each_number_of_threads() -> None:
    peaks = Peaks((1, 2))
    peaks.measure_operations()
    peaks.measure_operations()
    peaks.measure_memory(array_bytes=1 << 16)
    assert all(len(peaks.operations[threads]) == 2 for threads in (1, 2))
    assert peaks.best_operations(1) == max(peaks.operations[1]) > 1e8
    assert "2 threads: " in peaks.describe(2)


def test_roofline_runs(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOFLINE), "--quick", "--workload", "imdb-200", "--steps", "2"]
    command += ["--cells", "SimpleRNN", "--rounds", "1", "--threads", "1", "--data", "generated"]
    done = subprocess.run(
        [*command, "--output", str(tmp_path)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "imdb-200 SimpleRNN" in done.stdout
    content = json.loads((tmp_path / "roofline-imdb-200.json").read_text())
    (result,) = content["results"]
    step, phases = result["step"], {phase["name"]: phase for phase in result["phases"]}
    dense = 3 * 2 * 64 * 50
    assert step["nominal"] == 6 * 64 * 200 * 50 * (32 + 50) + dense
    assert dense < step["executed"] < step["nominal"]
    assert sum(phase["executed"] for phase in phases.values()) == pytest.approx(step["executed"])
    assert sum(phase["seconds"] for phase in phases.values()) == pytest.approx(
        result["profiled_seconds"][0]
    )
    assert all(phase["seconds"] > 0 for phase in phases.values() if phase["executed"])
    for name in ("plan", "optimizer", "Python"):
        assert phases[name]["seconds"] > 0, name
    assert result["tape_bytes"] > 0
    assert content["peaks"]["operations"]["1"]
