"""Bad input to fastrnn.kernels raises a ValueError or TypeError before any kernel runs."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from support.rnn_cells import CELLS, Cell, normal

B, T, F, H = 3, 4, 5, 6

cells = pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.id)


def arguments(cell: Cell, rng: np.random.Generator) -> dict[str, Any]:
    kernel, recurrent_kernel, bias = cell.weights(rng, F, H)
    return {
        "x": normal(rng, B, T, F),
        "kernel": kernel,
        "recurrent_kernel": recurrent_kernel,
        "bias": bias,
        "initial_state": cell.random_states(rng, B, H),
    }


def wrong_values(good: dict[str, Any]) -> list[tuple[str, Any]]:
    """(argument, a value that must be refused)."""
    state = good["initial_state"][0]
    states = len(good["initial_state"])
    return [
        ("x", good["x"][0]),
        ("x", good["x"][None]),
        ("x", good["x"][:, :0]),
        ("x", good["x"][..., :-1]),
        ("x", good["x"].astype(object)),
        ("x", good["x"].astype(str)),
        ("x", good["x"].astype(np.complex64)),
        ("x", "text"),
        ("x", None),
        ("x", [[1.0], [1.0, 2.0]]),
        ("kernel", good["kernel"][:, :-1]),
        ("kernel", good["kernel"][:-1]),
        ("kernel", good["kernel"][0]),
        ("kernel", good["kernel"].astype(np.complex128)),
        ("recurrent_kernel", good["recurrent_kernel"][:-1]),
        ("recurrent_kernel", good["recurrent_kernel"][:, :-1]),
        ("recurrent_kernel", good["recurrent_kernel"][:0]),
        ("recurrent_kernel", good["recurrent_kernel"][None]),
        ("bias", good["bias"][..., :-1]),
        ("bias", good["bias"][None]),
        ("bias", good["bias"][0]),
        ("initial_state", (state[:-1],) * states),
        ("initial_state", (state[:, :-1],) * states),
        ("initial_state", (state[0],) * states),
        ("initial_state", (state,) * (states + 1)),
        ("initial_state", ()),
        ("initial_state", 3),
        ("initial_state", state[0, 0]),
        ("activation", "tahn"),
        ("activation", "softmax"),
    ]  # fmt: skip


@cells
def test_forward_refuses(cell: Cell, rng: np.random.Generator) -> None:
    good = arguments(cell, rng)
    for name, value in wrong_values(good):
        with pytest.raises((ValueError, TypeError)) as caught:
            cell.forward(**{**good, name: value})
        # Features that do not match can be put down to either side.
        expected = rf"`({name}|kernel)` must (be|have|hold) .+ Received: "
        assert re.match(expected, str(caught.value), re.DOTALL), f"{name}={value!r}: {caught.value}"


def wrong_masks(cell: Cell) -> list[tuple[str, Any]]:
    """(argument, a mask that must be refused)."""
    mask = np.ones((B, T), bool)
    wrong: list[tuple[str, Any]] = [
        ("mask", mask[:-1]),
        ("mask", mask[:, :-1]),
        ("mask", mask.T),
        ("mask", mask[0]),
        ("mask", mask[..., None]),
        ("mask", np.array(True)),
        ("mask", mask.astype(complex)),
        ("mask", mask.astype(str)),
        ("mask", mask.astype(object)),
        ("mask", "text"),
        ("mask", 3),
    ]
    for name, size in (("dropout_mask", F), ("recurrent_dropout_mask", H)):
        shared, per_gate = np.ones((B, size)), np.ones((B, cell.gates, size))
        wrong += [
            (name, shared[:-1]),
            (name, shared[:, :-1]),
            (name, shared[0]),
            (name, shared.T),
            (name, per_gate[:-1]),
            (name, per_gate[..., :-1]),
            (name, per_gate[None]),
            (name, per_gate[:, :0]),
            (name, np.ones((B, cell.gates + 1, size))),
            (name, np.ones((B, 2, size))),
            (name, np.ones((B, size, cell.gates))),
            (name, shared.astype(complex)),
            (name, per_gate.astype(str)),
            (name, shared.astype(object)),
            (name, "text"),
            (name, 0.5),
        ]
    return wrong


@cells
@pytest.mark.parametrize("tokens", [False, True], ids=["tensor", "tokens"])
def test_forward_refuses_masks(cell: Cell, tokens: bool, rng: np.random.Generator) -> None:
    from fastrnn import kernels

    good = arguments(cell, rng)
    if tokens:
        good["x"] = kernels.Embedded(np.zeros((B, T), np.int64), normal(rng, 3, F))
    masks: dict[str, Any] = {
        "mask": np.ones((B, T), bool),
        "dropout_mask": np.ones((B, F)),
        "recurrent_dropout_mask": np.ones((B, cell.gates, H)),
    }
    cell.forward(**good, **masks)
    for name, value in wrong_masks(cell):
        with pytest.raises((ValueError, TypeError)) as caught:
            cell.forward(**good, **{**masks, name: value})
        expected = rf"`{name}` must (be|have|hold) .+ Received: "
        assert re.match(expected, str(caught.value), re.DOTALL), f"{name}={value!r}: {caught.value}"


@cells
def test_recurrent_activation_is_checked(cell: Cell, rng: np.random.Generator) -> None:
    good = arguments(cell, rng)
    with pytest.raises(ValueError, match="sigmiod"):
        cell.forward(**good, recurrent_activation="sigmiod")
    if not cell.gated:
        with pytest.raises(ValueError, match="must be None: simple_rnn has no gates"):
            cell.forward(**good, recurrent_activation="tanh")


def test_arguments_are_known_and_complete(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fastrnn import _core

    native, given = _core.rnn_forward, {}
    monkeypatch.setattr(_core, "rnn_forward", lambda **good: given.update(good) or native(**good))
    Cell("lstm").forward(**arguments(Cell("lstm"), rng))
    assert given.pop("batch_sizes") is None  # it may be left out
    for name in given:
        with pytest.raises(TypeError, match=f"missing keyword argument '{name}'"):
            native(**{key: given[key] for key in given if key != name})
    for name in ("go_backward", "table"):
        with pytest.raises(TypeError, match=f"unexpected keyword argument '{name}'"):
            native(**given, **{name: given["kernel"]})
    with pytest.raises(TypeError, match="incompatible function arguments"):
        native("lstm", **given)
    tape = native(**given)[2]
    with pytest.raises(TypeError, match="unexpected keyword argument 'd_output'"):
        _core.rnn_backward(
            tape=tape,
            d_outputs=None,
            d_states=None,
            input_gradient=True,
            consume=False,
            d_output=None,
        )


def test_reset_after_and_bias_must_agree(rng: np.random.Generator) -> None:
    after, before = Cell("gru"), Cell("gru_reset_before")
    for cell, other in ((after, before), (before, after)):
        good = arguments(cell, rng)
        with pytest.raises(ValueError, match="bias"):
            other.forward(**good)


@cells
def test_backward_refuses(cell: Cell, rng: np.random.Generator) -> None:
    good = arguments(cell, rng)
    output = cell.forward(**good, return_sequences=True)
    d_outputs, d_states = np.ones_like(output.outputs), tuple(map(np.ones_like, output.states))
    for bad in (
        d_outputs[:-1],
        d_outputs[:, -1],
        d_outputs[..., :-1],
        d_outputs.astype(object),
        d_outputs.astype(np.complex64),
    ):
        with pytest.raises((ValueError, TypeError), match="d_outputs"):
            cell.backward(output.tape, bad)
    last = cell.forward(**good)
    for bad in (
        d_outputs,
        d_outputs[:, -1, :-1],
        d_outputs[:-1, -1],
        d_outputs[:, -1].astype(object),
    ):
        with pytest.raises((ValueError, TypeError), match="d_outputs"):
            cell.backward(last.tape, bad)
    for bad_states in (
        (*d_states, d_states[0]),
        d_states[:-1],
        (d_states[0][:-1],) * cell.states,
        (d_states[0][:, :-1],) * cell.states,
    ):
        with pytest.raises((ValueError, TypeError), match="d_states"):
            cell.backward(output.tape, d_outputs, bad_states)


@cells
def test_backward_refuses_what_is_not_a_tape(cell: Cell, rng: np.random.Generator) -> None:
    for wrong in (None, "tape", cell.forward(**arguments(cell, rng))):
        with pytest.raises(TypeError, match="`tape` must be"):
            cell.backward(wrong)


@cells
def test_step_refuses(cell: Cell, rng: np.random.Generator) -> None:
    good = arguments(cell, rng)
    weights = {name: good[name] for name in ("kernel", "recurrent_kernel", "bias")}
    x, states = good["x"][:, 0], good["initial_state"]
    for bad_x, bad_states in (
        (good["x"], states),
        (x[:, :-1], states),
        (x.astype(object), states),
        (x, states[:-1]),
        (x, tuple(state[:-1] for state in states)),
        (x, tuple(state[:, :-1] for state in states)),
    ):
        with pytest.raises((ValueError, TypeError)):
            cell.step(bad_x, bad_states, **weights)
