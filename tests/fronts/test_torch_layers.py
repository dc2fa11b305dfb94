"""`fastrnn.torch`'s layers and cells give the outputs and every gradient of `torch.nn`'s.

The oracle is `torch.nn` in float64 with the same weights.
"""

from __future__ import annotations

import copy
import itertools
from typing import Any

import pytest

torch = pytest.importorskip("torch", exc_type=ImportError)

import fastrnn.torch as ours  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.nn.utils import rnn as utils  # noqa: E402

STEPS, BATCH, FEATURES, UNITS = 6, 4, 5, 7
LENGTHS = {"falling": [6, 4, 4, 1], "any order": [2, 6, 1, 4]}
KINDS = ["tensor", "unbatched", *LENGTHS]
OPTIONS: list[dict[str, Any]] = [
    {},
    {"num_layers": 2},
    {"num_layers": 2, "bidirectional": True},
    {"batch_first": True},
    {"bias": False},
    {"proj_size": 3},
    {"proj_size": 3, "num_layers": 2, "bidirectional": True},
]
CLASSES = {"RNN": {"nonlinearity": "relu"}, "LSTM": {}, "GRU": {}}
CASES = [
    (name, options)
    for name, options in itertools.product(CLASSES, OPTIONS)
    if name == "LSTM" or "proj_size" not in options
]

# LSTMs with projections run slowly in oneDNN's eyes; PyTorch says so at each first call.
pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections:UserWarning")


def assert_close(got: Tensor, want: Tensor, what: str) -> None:
    assert got.shape == want.shape, what
    error = (got.double() - want).abs().max().item() if got.numel() else 0.0
    assert error <= 2e-6 * (1.0 + want.abs().max().item()), f"{what}: error {error}"


def states_of(module: Any, rows: tuple[int, ...], seed: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    count = module.num_layers * (2 if module.bidirectional else 1)
    sizes = [module.proj_size or module.hidden_size]
    if module.mode == "LSTM":
        sizes.append(module.hidden_size)
    return [torch.randn(count, *rows, size, generator=generator) for size in sizes]


def results(module: Any, x: Tensor, states: list[Tensor], kind: str, given: bool) -> list[Tensor]:
    """Outputs, last states and the gradients of input, states and weights."""
    dtype = next(module.parameters()).dtype
    x = x.detach().clone().to(dtype).requires_grad_()
    states = [state.detach().clone().to(dtype).requires_grad_() for state in states]
    inputs: Any = x
    if kind in LENGTHS:
        inputs = utils.pack_padded_sequence(
            x, LENGTHS[kind], module.batch_first, enforce_sorted=kind == "falling"
        )
    hx = tuple(states) if len(states) == 2 else states[0]
    outputs, last = module(inputs, hx) if given else module(inputs)
    last = last if isinstance(last, tuple) else (last,)
    if isinstance(outputs, utils.PackedSequence):
        outputs = outputs.data
    generator = torch.Generator().manual_seed(3)
    loss = sum(
        (each * torch.randn(each.shape, generator=generator)).sum() for each in (outputs, *last)
    )
    module.zero_grad()
    loss.backward()
    gradients = [x.grad, *(parameter.grad for parameter in module.parameters())]
    if given:
        gradients += [state.grad for state in states]
    return [outputs, *last, *gradients]


@pytest.mark.parametrize("given", [False, True], ids=["zeros", "states"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_outputs_and_gradients(name: str, options: dict[str, Any], kind: str, given: bool) -> None:
    torch.manual_seed(1)
    module = getattr(ours, name)(FEATURES, UNITS, **options, **CLASSES[name])
    oracle = getattr(nn, name)(FEATURES, UNITS, **options, **CLASSES[name]).double()
    oracle.load_state_dict(module.state_dict())
    shape = (BATCH, STEPS) if module.batch_first else (STEPS, BATCH)
    rows: tuple[int, ...] = (BATCH,)
    if kind == "unbatched":
        shape, rows = (STEPS,), ()
    x, states = torch.randn(*shape, FEATURES), states_of(module, rows, 2)
    got = results(module, x, states, kind, given)
    want = results(oracle, x, states, kind, given)
    for number, (one, other) in enumerate(zip(got, want, strict=True)):
        assert_close(one, other, f"result {number}")


@pytest.mark.parametrize("name", CLASSES)
def test_constructor_weights_and_text_are_those_of_torch(name: str) -> None:
    arguments = (FEATURES, UNITS, 2)
    torch.manual_seed(5)
    own = getattr(nn, name)(*arguments, batch_first=True)
    torch.manual_seed(5)
    module = getattr(ours, name)(*arguments, batch_first=True)
    assert str(module) == str(own)
    assert list(module.state_dict()) == list(own.state_dict())
    for key, value in own.state_dict().items():
        assert torch.equal(module.state_dict()[key], value)


@pytest.mark.parametrize("batched", [True, False])
@pytest.mark.parametrize("name", ["RNNCell", "LSTMCell", "GRUCell"])
def test_cells(name: str, batched: bool) -> None:
    torch.manual_seed(4)
    cell = getattr(ours, name)(FEATURES, UNITS)
    oracle = copy.deepcopy(getattr(nn, name)(FEATURES, UNITS)).double()
    oracle.load_state_dict(cell.state_dict())
    rows = (BATCH,) if batched else ()
    x, h, c = (torch.randn(*rows, size) for size in (FEATURES, UNITS, UNITS))

    def run(module: Any) -> list[Tensor]:
        dtype = next(module.parameters()).dtype
        a, *states = (each.detach().clone().to(dtype).requires_grad_() for each in (x, h, c))
        hx = tuple(states) if name == "LSTMCell" else states[0]
        module.zero_grad()
        total, made = 0.0, []
        for result in (module(a, hx), module(a)):
            parts = result if isinstance(result, tuple) else (result,)
            made += parts
            total += sum((each**2).sum() for each in parts)
        total.backward()
        used = states if name == "LSTMCell" else states[:1]
        return [*made, a.grad, *(s.grad for s in used), *(p.grad for p in module.parameters())]

    for number, (one, other) in enumerate(zip(run(cell), run(oracle), strict=True)):
        assert_close(one, other, f"result {number}")


def by_steps(module: Any, x: Tensor, hx: Any, reset: Tensor) -> tuple[Tensor, Any]:
    """What `reset` means: the state is multiplied by 0 before the step, in a loop over steps."""
    outputs = []
    for step in range(x.shape[0]):
        keep = (~reset[step]).to(x.dtype)[None, :, None]
        hx = tuple(state * keep for state in hx) if isinstance(hx, tuple) else hx * keep
        output, hx = module(x[step : step + 1], hx)
        outputs.append(output)
    return torch.cat(outputs), hx


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("RNN", {"nonlinearity": "tanh"}),
        ("LSTM", {"num_layers": 2}),
        ("LSTM", {"batch_first": True}),
        ("LSTM", {"proj_size": 3}),
        ("GRU", {"num_layers": 2}),
    ],
    ids=str,
)
def test_resets(name: str, options: dict[str, Any], share: float) -> None:
    torch.manual_seed(6)
    module = getattr(ours, name)(FEATURES, UNITS, **options)
    own = {key: value for key, value in options.items() if key != "batch_first"}
    oracle = getattr(nn, name)(FEATURES, UNITS, **own).double()
    oracle.load_state_dict(module.state_dict())
    steps = 9
    x, reset = torch.randn(steps, BATCH, FEATURES), torch.rand(steps, BATCH) < share
    states = states_of(module, (BATCH,), 7)
    weights = torch.randn(steps, BATCH, module.proj_size or UNITS)

    def run(each: Any, loop: bool) -> list[Tensor]:
        dtype = next(each.parameters()).dtype
        a, *h = (value.detach().clone().to(dtype).requires_grad_() for value in (x, *states))
        hx = tuple(h) if len(h) == 2 else h[0]
        if loop:
            outputs, last = by_steps(each, a, hx, reset)
        elif module.batch_first:
            outputs, last = each(a.transpose(0, 1), hx, reset.t())
            outputs = outputs.transpose(0, 1)
        else:
            outputs, last = each(a, hx, reset)
        last = last if isinstance(last, tuple) else (last,)
        each.zero_grad()
        ((outputs * weights).sum() + sum((state**2).sum() for state in last)).backward()
        return [outputs, *last, a.grad, *(p.grad for p in each.parameters()), *(s.grad for s in h)]

    for number, (one, other) in enumerate(zip(run(module, False), run(oracle, True), strict=True)):
        assert_close(one, other, f"result {number}")


def test_dropout_between_layers_is_torchs() -> None:
    module, own = (
        ours.LSTM(FEATURES, UNITS, 3, dropout=0.5),
        nn.LSTM(FEATURES, UNITS, 3, dropout=0.5),
    )
    own.load_state_dict(module.state_dict())
    x = torch.randn(STEPS, BATCH, FEATURES)
    outputs = module(x)[0]
    assert not torch.equal(outputs, module(x)[0])
    module.eval()
    own.eval()
    assert_close(module(x)[0], own(x)[0].double(), "outputs of inference")
    module.train()
    module.dropout = 1.0
    without = nn.LSTM(UNITS, UNITS)
    without.load_state_dict(
        {key[:-1] + "0": value for key, value in own.state_dict().items() if key.endswith("l2")}
    )
    want = without(torch.zeros(STEPS, BATCH, UNITS))[0]
    assert_close(module(x)[0], want.double(), "outputs where all is dropped")
