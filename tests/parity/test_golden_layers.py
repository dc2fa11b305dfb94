"""fastrnn.ops and fastrnn.layers against what Keras computed: outputs, states, every gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
import parity_cases
import pytest
from rnn_cells import CELLS, Cell, flatten

with np.load(parity_cases.VARIANTS_FILE) as file:
    GOLDEN = dict(file)

variants = pytest.mark.parametrize("name", parity_cases.VARIANTS)


def arrays_of(name: str) -> dict[str, np.ndarray]:
    return {key[len(name) + 1 :]: GOLDEN[key] for key in GOLDEN if key.startswith(f"{name}/")}


def numbered(arrays: dict[str, np.ndarray], prefix: str) -> tuple[np.ndarray, ...]:
    count = sum(f"{prefix}/{k}" in arrays for k in range(len(arrays)))
    return tuple(arrays[f"{prefix}/{k}"] for k in range(count))


def cell_of(variant: parity_cases.Variant) -> Cell:
    wanted = {"SimpleRNN": "simple_rnn", "LSTM": "lstm", "GRU": "gru"}[variant.layer]
    if variant.config.get("reset_after") is False:
        wanted = "gru_reset_before"
    return next(cell for cell in CELLS if cell.id == wanted)


def options_of(variant: parity_cases.Variant) -> dict[str, Any]:
    """Keyword arguments of fastrnn.ops; use_bias shows in the weights, reset_after in the cell."""
    options = {k: v for k, v in variant.config.items() if k not in ("use_bias", "reset_after")}
    return {**options, "mask": parity_cases.MASK if variant.mask else None}


def in_order_of_time(variant: parity_cases.Variant, outputs: np.ndarray) -> np.ndarray:
    """Keras's outputs as fastrnn.ops has them, or its gradients of them."""
    return outputs[:, ::-1] if variant.reversed else outputs


def assert_close(got: np.ndarray, want: np.ndarray, name: str) -> None:
    """Both round in float32, each in its own order."""
    assert got.shape == want.shape, name
    limit = 3e-6 * max(float(np.max(np.abs(want))), 1e-3)
    np.testing.assert_allclose(got, want, rtol=0, atol=limit, err_msg=name)


@variants
def test_ops(name: str, isa: str) -> None:
    variant, golden = parity_cases.VARIANTS[name], arrays_of(name)
    cell = cell_of(variant)
    initial = numbered(golden, "initial_state") or None
    output = cell.forward(
        golden["x"],
        golden["kernel"],
        golden["recurrent_kernel"],
        golden.get("bias"),
        initial,
        **options_of(variant),
    )
    assert_close(output.outputs, in_order_of_time(variant, golden["outputs"]), "outputs")
    for k, (got, want) in enumerate(zip(output.states, numbered(golden, "states"), strict=True)):
        assert_close(got, want, f"states[{k}]")
    d_outputs = in_order_of_time(variant, golden["d_outputs"])
    gradients = cell.backward(output.tape, d_outputs, numbered(golden, "d_states"))
    for key, got in flatten(gradients).items():
        want = golden[f"gradient/{key.replace('[', '/').rstrip(']')}"]
        assert_close(got, want, key)


@variants
def test_layers(name: str, isa: str) -> None:
    """A call of the layer against Keras; its backward, without gradients of states, against ops."""
    from fastrnn import layers

    variant, golden = parity_cases.VARIANTS[name], arrays_of(name)
    keys = [key for key in ("kernel", "recurrent_kernel", "bias") if key in golden]

    def build(**more: Any) -> Any:
        layer = getattr(layers, variant.layer)(parity_cases.UNITS, **variant.config, **more)
        layer.build(golden["x"].shape)
        layer.set_weights([golden[key] for key in keys])
        return layer

    initial = numbered(golden, "initial_state") or None
    mask = parity_cases.MASK if variant.mask else None
    outputs, *states = build(return_state=True)(golden["x"], initial_state=initial, mask=mask)
    assert_close(outputs, golden["outputs"], "outputs")
    for k, (got, want) in enumerate(zip(states, numbered(golden, "states"), strict=True)):
        assert_close(got, want, f"states[{k}]")

    layer = build()
    _, cache = layer.forward(golden["x"], True, mask)
    d_x, d_weights = layer.backward(cache, golden["d_outputs"])
    cell, options = cell_of(variant), options_of(variant)
    weights = (golden["kernel"], golden["recurrent_kernel"], golden.get("bias"))
    d_outputs = in_order_of_time(variant, golden["d_outputs"])
    want = cell.backward(cell.forward(golden["x"], *weights, **options).tape, d_outputs)
    np.testing.assert_array_equal(d_x, want.x)
    for key, got in zip(keys, d_weights, strict=True):
        np.testing.assert_array_equal(got, getattr(want, key), err_msg=key)


@pytest.mark.parametrize("name", parity_cases.MODELS)
def test_models(name: str, isa: str) -> None:
    import fastrnn
    from fastrnn.trainers.chain import Chain

    golden = arrays_of(name)
    model = parity_cases.make_model(fastrnn, parity_cases.MODELS[name])
    model.build((None, golden["tokens"].shape[1]))
    model.set_weights(numbered(golden, "weights"))
    assert_close(model.predict(golden["tokens"], verbose=0), golden["outputs"], "outputs")
    chain = Chain(model.leaves(), model.trainable_weights)
    gradients = chain.backward(chain.forward(golden["tokens"]).caches, golden["d_outputs"])
    for k, (got, want) in enumerate(zip(gradients, numbered(golden, "gradient"), strict=True)):
        assert_close(got, want, f"gradient of {chain.variables[k].path}")
