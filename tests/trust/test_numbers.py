"""Numbers at the edges of float32, walks of 10,000 steps, and sizes beyond 32 bits."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support import reference
from support.rnn_cells import CELLS, Cell, flatten, normal
from support.rnn_problems import Problem, assert_same_bits, run

cells = pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.id)

TINY = np.float32(1e-40)  # denormal


# --- Overflow and saturation ----------------------------------------------------------------------


@pytest.mark.parametrize("size", [1e4, 1e30, 3e38])
def test_overflowing_logits_of_two_classes(size: float) -> None:
    """The loss grows with the logit, its gradient stays between -1 and 1."""
    from fastrnn.losses import BinaryCrossentropy

    z = np.float32([[size], [size], [-size], [-size]])
    y = np.float32([[1], [0], [1], [0]])
    loss = BinaryCrossentropy(from_logits=True, reduction="sum")
    wrong = np.float32([[0], [1], [1], [0]])
    with np.errstate(over="ignore"):  # the sum of two losses of 3e38
        value, gradient = loss.value_and_gradient(y, z)
        expected = np.sum(wrong * np.abs(z), dtype=np.float32)
    assert value == pytest.approx(expected)
    np.testing.assert_array_equal(gradient, wrong * np.sign(z))


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("size", [1e4, 1e30, 1.5e38])
def test_overflowing_logits_of_many_classes(size: float, sparse: bool) -> None:
    from fastrnn.losses import CategoricalCrossentropy, SparseCategoricalCrossentropy

    z = np.float32([[size, 0, -size], [-size, 0, size]])
    y = np.array([0, 0])
    kind = SparseCategoricalCrossentropy if sparse else CategoricalCrossentropy
    loss = kind(from_logits=True, reduction="sum")
    value, gradient = loss.value_and_gradient(y if sparse else np.eye(3, dtype=np.float32)[y], z)
    assert value == pytest.approx(2 * size)
    np.testing.assert_array_equal(gradient, [[0, 0, 0], [-1, 0, 1]])


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_a_model_with_overflowing_logits_keeps_its_weights(activation: str) -> None:
    from fastrnn import layers, models

    binary = activation == "sigmoid"
    model = models.Sequential(
        [layers.Input((3, 2)), layers.LSTM(4), layers.Dense(1 if binary else 3, activation)]
    )
    loss = "binary_crossentropy" if binary else "sparse_categorical_crossentropy"
    model.compile("sgd", loss)
    *others, kernel, bias = model.get_weights()
    model.set_weights([*others, 1e32 * kernel, bias])
    x = normal(np.random.default_rng(0), 8, 3, 2)
    y = np.arange(8) % (2 if binary else 3)
    value = model.fit(x, y.reshape(8, 1), epochs=2, verbose=0).history["loss"]
    assert np.all(np.isfinite(value))
    assert np.all(np.isfinite(model.predict(x, verbose=0)))
    assert all(np.all(np.isfinite(weight)) for weight in model.get_weights()[-2:])


@cells
@pytest.mark.parametrize("size", [1e3, 1e30])
def test_saturated_gates(cell: Cell, size: float, isa: str, rng: np.random.Generator) -> None:
    """Gates that are 0 or 1 to the last bit give the oracle's outputs, and gradients of zero."""
    x = np.float32(size) * np.sign(normal(rng, 9, 12, 5))
    kernel, recurrent_kernel, bias = cell.weights(rng, 5, 19)
    kernel = np.abs(kernel) + 1  # no gate's sum is near 0, where one would not be saturated
    d_outputs = normal(rng, 9, 19)
    output = cell.forward(x, kernel, recurrent_kernel, bias)
    exact = reference.rnn_forward(cell.oracle, x, kernel, recurrent_kernel, bias)
    d_exact = reference.rnn_backward(exact.tape, d_outputs)
    np.testing.assert_allclose(output.outputs, exact.outputs, rtol=1e-5, atol=1e-6)
    got, want = flatten(cell.backward(output.tape, d_outputs)), flatten(d_exact)
    for name, array in got.items():
        assert np.all(np.isfinite(array)), name
        scale = max(1.0, float(np.max(np.abs(want[name]))))
        np.testing.assert_allclose(array, want[name], rtol=1e-4, atol=1e-5 * scale, err_msg=name)


# --- Denormals ------------------------------------------------------------------------------------


def denormal_problem(cell: Cell, what: str, value: np.float32) -> Problem:
    """One factor is `value` everywhere, the other so large that the product would be seen."""
    rng = np.random.default_rng(5)
    x, (kernel, recurrent_kernel, _) = normal(rng, 20, 6, 9), cell.weights(rng, 9, 33, False)
    states, d_outputs = None, normal(rng, 20, 6, 33)
    large = np.float32(1e30)
    if what == "x":
        x, kernel = np.full_like(x, value), large * kernel
    elif what == "weights":
        x, kernel = large * x, np.full_like(kernel, value)
    elif what == "states":
        states = tuple(np.full((20, 33), value) for _ in range(cell.states))
        kernel, recurrent_kernel = 0 * kernel, large * recurrent_kernel
    else:
        d_outputs = np.full_like(d_outputs, value)
    options = {"return_sequences": True}
    return Problem(x, (kernel, recurrent_kernel, None), states, options, d_outputs, None)


@cells
@pytest.mark.parametrize("what", ["x", "weights", "states", "gradients"])
def test_denormals_count_as_zeros(cell: Cell, what: str, isa: str) -> None:
    """So they cost what zeros cost: a CPU that computed with them would be many times slower."""
    denormal, _ = run(cell, denormal_problem(cell, what, TINY))
    zero, _ = run(cell, denormal_problem(cell, what, np.float32(0)))
    for name in zero:
        np.testing.assert_array_equal(denormal[name], zero[name], err_msg=name)


def tiny_update() -> tuple[np.ndarray, ...]:
    from fastrnn import kernels

    variable, m, v = (np.full(100, TINY) for _ in range(3))
    gradient = np.full(100, TINY)
    kernels.adam_update(
        variable, gradient, m, v, step_size=1, beta_1=0.9, beta_2=0.99, epsilon=1e-7
    )
    return variable, m, v


def tiny_products() -> tuple[np.ndarray, ...]:
    from fastrnn import kernels

    x, kernel = np.full((40, 20), TINY), np.full((20, 30), np.float32(0.5))
    y = kernels.dense_forward(x, kernel)
    gradients = kernels.dense_backward(np.ones_like(x), y, kernel, np.full_like(y, TINY))
    return (y, *gradients)


@pytest.mark.parametrize("call", [tiny_update, tiny_products], ids=lambda call: call.__name__)
def test_other_kernels_flush_and_restore(call: Callable[[], Any], isa: str) -> None:
    """No kernel computes with a denormal, and the caller does so before and after."""
    for array in call():
        assert not np.any(array)
    assert np.all(np.full(64, TINY) * np.float32(0.5) != 0)


# --- Ten thousand steps ---------------------------------------------------------------------------


@cells
def test_ten_thousand_steps(cell: Cell, rng: np.random.Generator) -> None:
    from fastrnn import _core

    x, weights = normal(rng, 2, 10_000, 3), cell.weights(rng, 3, 5)
    d_outputs = normal(rng, 2, 10_000, 5)
    output = reference.rnn_forward(cell.oracle, x, *weights, return_sequences=True)
    want = {**flatten(output), **flatten(reference.rnn_backward(output.tape, d_outputs))}
    problem = Problem(x, weights, None, {"return_sequences": True}, d_outputs, None)
    before = _core.isa()
    try:
        for level in _core.isa_levels():
            _core.set_isa(level)
            for name, array in run(cell, problem)[0].items():
                scale = np.sqrt(np.mean(np.square(want[name])))
                error = np.sqrt(np.mean(np.square(array - want[name])))
                assert error <= 5e-6 * scale, (level, name, error, scale)
    finally:
        _core.set_isa(before)


# --- Sizes beyond 32 bits -------------------------------------------------------------------------

# Arrays of zeros that nobody writes to take no memory, so a size of 2^31 needs none.
BIG = """
import sys
import numpy as np
from fastrnn import layers, kernels

zeros = lambda *shape: np.zeros(shape, np.float32)
one = zeros(1, 1)
for name, call in CALLS.items():
    try:
        eval(call)
    except (ValueError, MemoryError):
        print(name, "refused", flush=True)
    else:
        print(name, "computed", flush=True)
"""

REFUSED = {
    "steps": "kernels.rnn_forward('simple_rnn', zeros(1, 2**31, 1), one, one, keep_tape=False)",
    "rows": "kernels.rnn_forward('simple_rnn', zeros(2**31, 1, 1), one, one, keep_tape=False)",
    "vocabulary": "kernels.embedding_backward([2**31 + 5], [[1.0]], vocabulary=2**31 + 10)",
    "product": "kernels.embedding_backward([], zeros(0, 2**20), vocabulary=2**50)",
    "negative": "kernels.embedding_backward([], zeros(0, 4), vocabulary=-(2**62))",
    "table": "kernels.embedding_forward([2**31 + 5], zeros(2**31 + 10, 1))",
    "embedding": "layers.Embedding(2**40, 2**30).build((None, 3))",
    "dense": "layers.Dense(2**62).build((None, 2**10))",
    "units": "layers.LSTM(2**33).build((None, 3, 2))",
}


def test_sizes_beyond_memory_are_refused(
    run_python: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    done = run_python(BIG.replace("CALLS", repr(REFUSED)))
    assert done.stdout.splitlines() == [f"{name} refused" for name in REFUSED], done.stderr
    assert done.returncode == 0, done.stderr


def lazy_zeros(*shape: int) -> np.ndarray:
    try:
        return np.zeros(shape, np.float32)
    except MemoryError:
        pytest.skip("the system does not promise 8 GB that are never used")


@cells
def test_offsets_beyond_two_to_the_31(cell: Cell, isa: str, rng: np.random.Generator) -> None:
    """Only the last steps of a walk and the last rows of a table are touched."""
    from fastrnn import kernels

    features = 2049
    kernel, recurrent_kernel, bias = cell.weights(rng, features, 5)
    last = normal(rng, 1, 3, features)
    x = lazy_zeros(1, 2**20, features)
    x[:, -3:] = last
    mask = np.zeros((1, 2**20), bool)
    mask[:, -3:] = True
    want = flatten(cell.forward(last, kernel, recurrent_kernel, bias, keep_tape=False))
    got = flatten(cell.forward(x, kernel, recurrent_kernel, bias, mask=mask, keep_tape=False))
    assert_same_bits(want, got)
    tokens = np.arange(2**20 - 3, 2**20)[None]
    np.testing.assert_array_equal(kernels.embedding_forward(tokens, x[0]), last)
    embedded = kernels.Embedded(tokens, x[0])
    got = flatten(cell.forward(embedded, kernel, recurrent_kernel, bias, keep_tape=False))
    for name, array in got.items():
        np.testing.assert_allclose(array, want[name], atol=1e-6, err_msg=name)


# --- Explosion ------------------------------------------------------------------------------------


def exploding_model(**optimizer: Any) -> tuple[Any, np.ndarray, np.ndarray]:
    """Its states and gradients grow by 1.6 at each of 30 steps."""
    import fastrnn
    from fastrnn import initializers, layers, models, optimizers

    fastrnn.utils.set_random_seed(3)
    recurrent = layers.SimpleRNN(
        6, activation="linear", recurrent_initializer=initializers.Identity(1.6)
    )
    model = models.Sequential([layers.Input((30, 2)), recurrent, layers.Dense(1)])
    model.compile(optimizers.SGD(**optimizer), "mse")
    rng = np.random.default_rng(3)
    return model, normal(rng, 64, 30, 2), normal(rng, 64, 1)


def test_an_explosion_ends_with_terminate_on_nan() -> None:
    from fastrnn.callbacks import LambdaCallback, TerminateOnNaN

    model, x, y = exploding_model(learning_rate=1.0)
    batches = []
    count = LambdaCallback(on_train_batch_end=lambda batch, logs: batches.append(logs["loss"]))
    with np.errstate(all="ignore"):
        history = model.fit(
            x, y, batch_size=8, epochs=5, verbose=0, callbacks=[TerminateOnNaN(), count]
        )
    assert len(history.epoch) == 1
    assert len(batches) < 8
    assert not np.isfinite(batches[-1])


@pytest.mark.parametrize("limit", ["clipnorm", "global_clipnorm", "clipvalue"])
def test_clipping_holds_an_explosion(limit: str) -> None:
    """No step is longer than the limit, though gradients are about 1e12."""
    model, x, y = exploding_model(learning_rate=1.0, **{limit: 0.01})
    before = model.get_weights()
    for _ in range(3):
        loss = model.train_on_batch(x, y)
        after = model.get_weights()
        moved = [a - b for a, b in zip(after, before, strict=True)]
        assert np.isfinite(loss)
        assert loss > 1e10
        sizes = [float(np.sqrt(np.sum(np.square(step)))) for step in moved]
        if limit == "clipvalue":
            assert max(float(np.max(np.abs(step))) for step in moved) == pytest.approx(0.01, 1e-3)
        elif limit == "clipnorm":
            assert sizes == pytest.approx([0.01] * len(sizes), rel=1e-3)
        else:
            assert np.sqrt(np.sum(np.square(sizes))) == pytest.approx(0.01, rel=1e-3)
        before = after
