"""`fastrnn.keras`'s layers give the outputs, states and every gradient of Keras's.

They run on TensorFlow; `test_keras_backends.py` runs them on Keras's other backends.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from support.keras_cells import KERAS_CELLS, layer_of
from support.keras_fronts import BACKEND, assert_same, results_and_gradients, twins
from support.pairwise import pairwise
from support.published_cases import call_layers, make_layers

# Keras turns tensors of PyTorch into arrays in a way that NumPy wants to end.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.usefixtures("in_graphs"),
]

BATCH, STEPS, FEATURES, UNITS = 4, 6, 3, 5
MASK = np.array(
    [[1, 1, 1, 1, 1, 1], [0, 0, 1, 1, 0, 1], [1, 1, 1, 0, 0, 0], [0, 0, 0, 0, 0, 0]], bool
)

ROWS = pairwise(
    {
        "cell": list(KERAS_CELLS),
        "go_backwards": [False, True],
        "return_sequences": [False, True],
        "return_state": [False, True],
        "zero_output_for_mask": [False, True],
        "masked": [False, True],
        "given_states": [False, True],
        "use_bias": [True, False],
        "in_graph": [True, False],
    }
)
if BACKEND == "jax":
    ROWS = ROWS[::3]  # JAX compiles for two seconds in each


def pair(front: ModuleType, rng: np.random.Generator, cell: str, **options: Any) -> tuple[Any, Any]:
    import fastrnn.keras

    theirs, ours = (
        layer_of(layers, cell, UNITS, **options) for layers in (front.layers, fastrnn.keras)
    )
    return twins(rng, theirs, ours, (BATCH, STEPS, FEATURES))


def inputs(rng: np.random.Generator) -> np.ndarray:
    return rng.normal(size=(BATCH, STEPS, FEATURES)).astype("float32")


def states_of(rng: np.random.Generator, layer: Any) -> list[np.ndarray]:
    return [rng.normal(size=(BATCH, UNITS)).astype("float32") for _ in layer.state_size]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: "-".join(map(str, row.values())))
def test_results_and_gradients(
    row: dict[str, Any], front: ModuleType, rng: np.random.Generator, kernel_calls: list[str]
) -> None:
    options = dict(row)
    cell, masked, given, in_graph = map(options.pop, ("cell", "masked", "given_states", "in_graph"))
    theirs, ours = pair(front, rng, cell, **options)
    x = inputs(rng)
    states = states_of(rng, theirs) if given else []
    arguments = {"states": states, "mask": MASK if masked else None}
    wanted = results_and_gradients(theirs, x, **arguments)
    assert_same(results_and_gradients(ours, x, **arguments, in_graph=in_graph), wanted)
    assert set(kernel_calls) == {cell}


@pytest.mark.parametrize("cell", KERAS_CELLS)
@pytest.mark.parametrize("activation", ["relu", "linear", "hard_sigmoid", "leaky_relu", None])
def test_activations(
    cell: str, activation: str | None, front: ModuleType, rng: np.random.Generator
) -> None:
    options: dict[str, Any] = {"activation": activation}
    if cell != "simple_rnn":
        options["recurrent_activation"] = "hard_sigmoid"
    theirs, ours = pair(front, rng, cell, **options)
    x = inputs(rng) / 4
    assert_same(results_and_gradients(ours, x), results_and_gradients(theirs, x))


@pytest.mark.parametrize("cell", KERAS_CELLS)
@pytest.mark.parametrize(("rate", "recurrent_rate"), [(0.4, 0.0), (0.0, 0.4), (0.3, 0.5), (1.0, 0)])
def test_dropout_takes_the_masks_of_keras(
    cell: str, rate: float, recurrent_rate: float, front: ModuleType, rng: np.random.Generator
) -> None:
    if cell == "simple_rnn" and rate == 1.0:
        pytest.skip("Keras divides by 1 - rate")
    options = {"dropout": rate, "recurrent_dropout": recurrent_rate, "seed": 7}
    theirs, ours = pair(front, rng, cell, **options, return_sequences=True)
    for layer in (theirs, ours):
        layer.cell.seed_generator.state.assign(np.array([3, 4], "uint32"))
    x = inputs(rng)
    for training in (True, False):
        arguments = {"mask": MASK, "training": training}
        wanted = results_and_gradients(theirs, x, **arguments)
        assert_same(results_and_gradients(ours, x, **arguments), wanted)


@pytest.mark.parametrize("cell", KERAS_CELLS)
def test_a_mask_for_each_gate_without_recurrent_dropout(
    cell: str, front: ModuleType, rng: np.random.Generator
) -> None:
    """With `implementation=1`, which in Keras needs `use_cudnn=False` to run."""
    if cell == "simple_rnn":
        pytest.skip("it has no gates")
    options = {"dropout": 0.4, "seed": 7, "implementation": 1, "use_cudnn": False}
    theirs, ours = pair(front, rng, cell, **options)
    for layer in (theirs, ours):
        layer.cell.seed_generator.state.assign(np.array([3, 4], "uint32"))
    x = inputs(rng)
    wanted = results_and_gradients(theirs, x, training=True)
    assert_same(results_and_gradients(ours, x, training=True), wanted)


@pytest.mark.parametrize("cell", KERAS_CELLS)
def test_stateful(cell: str, front: ModuleType, rng: np.random.Generator) -> None:
    options = {"stateful": True, "return_sequences": True}
    if cell != "simple_rnn":
        options["use_cudnn"] = False  # else Keras on PyTorch overwrites what backward needs
    theirs, ours = pair(front, rng, cell, **options)
    for layer in (theirs, ours):
        layer.reset_state()
    batches = [inputs(rng) for _ in range(3)]
    for number, x in enumerate(batches):
        if number == 2:
            theirs.reset_state()
            ours.reset_state()
        wanted, got = (front.ops.convert_to_numpy(layer(x)) for layer in (theirs, ours))
        assert_same([got], [wanted])
        carried = [
            [front.ops.convert_to_numpy(state + 0.0) for state in each.states]
            for each in (ours, theirs)
        ]
        assert_same(*carried)
        assert_same(results_and_gradients(ours, x), results_and_gradients(theirs, x))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"unroll": True}, "unroll=True"),
        ({"activation": "gelu"}, "its activation is gelu"),
        ({"recurrent_activation": "tanh_of_mine"}, "recurrent_activation is tanh_of_mine"),
        ({"dtype": "bfloat16", "recurrent_initializer": "zeros"}, "its dtype is bfloat16"),
        ({"dtype": "mixed_float16"}, "its dtype is mixed_float16"),
    ],
)
def test_what_the_kernels_do_not_take_runs_keras_own_code_with_one_warning(
    options: dict[str, Any],
    reason: str,
    front: ModuleType,
    rng: np.random.Generator,
    kernel_calls: list[str],
) -> None:
    def tanh_of_mine(x: Any) -> Any:
        return front.ops.tanh(x)

    if "recurrent_activation" in options:
        options = {"recurrent_activation": tanh_of_mine}
    theirs, ours = pair(front, rng, "lstm", **options)
    x = inputs(rng)
    wanted = front.ops.convert_to_numpy(front.ops.cast(theirs(x), "float32"))
    with pytest.warns(UserWarning, match=f"runs Keras's own code.*{reason}") as caught:
        got = [front.ops.convert_to_numpy(front.ops.cast(ours(x), "float32")) for _ in range(2)]
    assert len([each for each in caught if "Keras's own code" in str(each.message)]) == 1
    assert [each.tolist() for each in got] == [wanted.tolist()] * 2
    assert kernel_calls == []


def test_a_call_with_another_type_runs_keras_own_code(
    front: ModuleType, rng: np.random.Generator
) -> None:
    theirs, ours = pair(front, rng, "gru")
    tokens = front.ops.convert_to_tensor(rng.integers(0, 3, (BATCH, STEPS, FEATURES)), "int32")
    with pytest.warns(UserWarning, match="a tensor has dtype int32"):
        got = ours(tokens)
    assert_same(*([front.ops.convert_to_numpy(each)] for each in (got, theirs(tokens))))


def test_use_cudnn_is_keras_own_matter(
    front: ModuleType, rng: np.random.Generator, kernel_calls: list[str]
) -> None:
    theirs, ours = pair(front, rng, "lstm", use_cudnn=True)
    x = inputs(rng)
    if front.backend.backend() == "torch":  # which takes the option without having cuDNN
        assert_same(*([front.ops.convert_to_numpy(layer(x))] for layer in (ours, theirs)))
    else:
        with pytest.raises(ValueError, match="cuDNN is not supported"):
            ours(x)
    assert kernel_calls == []


@pytest.mark.parametrize("cell", KERAS_CELLS)
def test_an_empty_batch(cell: str, front: ModuleType, rng: np.random.Generator) -> None:
    """Keras on TensorFlow fails on it outside of graphs."""
    _, ours = pair(front, rng, cell, return_sequences=True)
    outputs, d_x, *d_weights = results_and_gradients(ours, inputs(rng)[:0], mask=MASK[:0])
    assert outputs.shape == (0, STEPS, UNITS)
    assert d_x.shape == (0, STEPS, FEATURES)
    assert all((gradient == 0).all() for gradient in d_weights)


@pytest.mark.parametrize("cell", KERAS_CELLS)
@pytest.mark.parametrize("merge_mode", ["concat", "sum", None])
def test_bidirectional(
    cell: str, merge_mode: str | None, front: ModuleType, rng: np.random.Generator
) -> None:
    import fastrnn.keras

    def make() -> Any:
        layer = layer_of(front.layers, cell, UNITS, return_sequences=True)
        return front.layers.Bidirectional(layer, merge_mode=merge_mode)

    theirs, ours = twins(rng, make(), make(), (BATCH, STEPS, FEATURES))
    fastrnn.keras.accelerate(ours)
    assert isinstance(ours.backward_layer, fastrnn.keras.layers.KernelLayer)
    x = inputs(rng)
    for mask in (None, MASK):
        wanted = results_and_gradients(theirs, x, mask=mask)
        assert_same(results_and_gradients(ours, x, mask=mask), wanted)


def test_time_distributed(front: ModuleType, rng: np.random.Generator) -> None:
    import fastrnn.keras

    def make() -> Any:
        return front.layers.TimeDistributed(front.layers.GRU(UNITS))

    x = rng.normal(size=(2, 3, STEPS, FEATURES)).astype("float32")
    theirs, ours = twins(rng, make(), make(), x.shape)
    fastrnn.keras.accelerate(ours)
    assert_same(results_and_gradients(ours, x), results_and_gradients(theirs, x))


def test_published_case(published_case: dict[str, Any], cases: Any, front: ModuleType) -> None:
    import fastrnn.keras

    # Unrolled loops have the same results, and are Keras's own matter.
    specs = [{**spec, "unroll": False} for spec in published_case["layers"]]
    case = {**published_case, "layers": specs}
    layers = make_layers(case, front.layers)
    for layer, _ in layers:
        fastrnn.keras.accelerate(layer)
    outputs = 2 if case.get("merge_mode", "concat") is None else 1
    got: list[Any] = []
    for step in case["steps"]:
        if step["op"] == "call":
            got = call_layers(layers, step, outputs)
        else:
            for layer, _ in layers:
                layer.reset_states()
    cases.check(case, [front.ops.convert_to_numpy(each) for each in got])
