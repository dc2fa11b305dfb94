"""State dicts of live PyTorch: the model of fastrnn computes what the modules do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from fastrnn import from_torch

TOKENS = np.random.default_rng(8).integers(0, 9, (3, 6))
X = np.random.default_rng(9).normal(size=(3, 6, 4)).astype(np.float32)


@pytest.fixture(scope="module")
def torch() -> Iterator[Any]:
    torch = pytest.importorskip("torch", exc_type=ImportError)
    torch.manual_seed(0)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield torch
    torch.set_num_threads(before)  # OpenMP's for this thread, so that of fastrnn too


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("cell", ["RNN", "LSTM", "GRU"])
def test_stacked_modules(torch: Any, cell: str, bias: bool, bidirectional: bool) -> None:
    nn = torch.nn
    modules = nn.ModuleDict(
        {
            "words": nn.Embedding(9, 4),
            "rnn": getattr(nn, cell)(
                4, 5, num_layers=2, bias=bias, bidirectional=bidirectional, batch_first=True
            ),
            "out": nn.Linear(10 if bidirectional else 5, 2, bias=bias),
        }
    )
    with torch.no_grad():
        outputs, states = modules["rnn"](modules["words"](torch.tensor(TOKENS)))
        h = states[0] if cell == "LSTM" else states
        last = torch.cat([h[-2], h[-1]], 1) if bidirectional else h[-1]
        wanted = modules["out"](last).sigmoid().numpy()
        all_steps = modules["out"](outputs).relu().numpy()
    ours = from_torch(modules.state_dict(), activations="sigmoid")
    np.testing.assert_allclose(ours.predict(TOKENS, verbose=0), wanted, rtol=2e-5, atol=2e-6)
    steps = from_torch(modules, return_sequences=True, activations=["relu"])
    np.testing.assert_allclose(steps.predict(TOKENS, verbose=0), all_steps, rtol=2e-5, atol=2e-6)
    assert [layer.name for layer in ours.layers] == ["words", "rnn_l0", "rnn_l1", "out"]


def test_several_modules_order_and_nonlinearity(torch: Any) -> None:
    nn = torch.nn

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 1))
            self.second = nn.GRU(5, 3, batch_first=True)
            self.first = nn.RNN(4, 5, nonlinearity="relu", batch_first=True)

        def forward(self, x: Any) -> Any:
            return self.head(self.second(self.first(x)[0])[1][-1])

    net = Net()
    with torch.no_grad():
        wanted = net(torch.tensor(X)).numpy()
    order = ["first", "second", "head.0", "head.2"]
    ours = from_torch(net, nonlinearity="relu", activations=["relu", None], order=order)
    np.testing.assert_allclose(ours.predict(X, verbose=0), wanted, rtol=2e-5, atol=2e-6)
    assert [layer.name for layer in ours.layers] == ["first", "second", "head_0", "head_2"]
    half = {key: value.bfloat16() for key, value in net.state_dict().items()}
    assert from_torch(half, order=order).count_params() == ours.count_params()
    with pytest.raises(ValueError, match="`order` must name"):
        from_torch(net, order=order[1:])
    with pytest.raises(ValueError, match="second"):  # in the order of the state dict no fit
        from_torch(net)


def test_a_layer_alone_and_no_recurrent_one() -> None:
    rng = np.random.default_rng(1)
    gru = {"weight_ih_l0": rng.normal(size=(9, 2)), "weight_hh_l0": rng.normal(size=(9, 3))}
    assert from_torch(gru).output_shape == (None, 3)
    linear = {"0.weight": rng.normal(size=(3, 2)), "1.weight": rng.normal(size=(1, 3))}
    ours = from_torch(linear)
    x = rng.normal(size=(4, 2)).astype(np.float32)
    wanted = x @ linear["0.weight"].T @ linear["1.weight"].T
    np.testing.assert_allclose(ours.predict(x, verbose=0), wanted, rtol=1e-4, atol=1e-5)


def arrays(**shapes: tuple[int, ...]) -> dict[str, np.ndarray]:
    return {name.replace("__", "."): np.ones(shape) for name, shape in shapes.items()}


GRU = {"g__weight_ih_l0": (9, 2), "g__weight_hh_l0": (9, 3)}


@pytest.mark.parametrize(
    ("state", "arguments", "message"),
    [
        ({}, {}, "empty"),
        (arrays(**GRU, norm__weight=(3,)), {}, "norm.weight"),
        (arrays(**GRU, conv__weight=(3, 3, 3)), {}, "conv.weight"),
        (arrays(**GRU, norm__running_mean=(3,)), {}, "running_mean"),
        (arrays(**GRU, g__weight_hr_l0=(3, 3)), {}, "weight_hr_l0"),
        (arrays(**GRU, out__bias=(3,)), {}, "'out'"),
        (arrays(g__weight_ih_l0=(10, 2), g__weight_hh_l0=(10, 3)), {}, "'g'"),
        (arrays(g__weight_ih_l0=(9, 2), g__weight_hh_l0=(6, 3)), {}, "'g'"),
        (arrays(g__weight_hh_l0=(9, 3)), {}, "weight_ih_l0"),
        (arrays(**GRU, g__weight_ih_l1=(9, 3)), {}, "weight_hh_l1"),
        (arrays(**GRU, g__bias_ih_l0=(9,)), {}, "biases"),
        (arrays(**GRU, out__weight=(1, 4), out__bias=(1,)), {}, "out"),
        (arrays(**GRU), {"activations": ["relu"]}, "activations"),
        (arrays(**GRU), {"nonlinearity": "sin"}, "nonlinearity"),
        ({"g.weight": np.array([["x"]])}, {}, "g.weight"),
    ],
)
def test_what_does_not_fit_is_named(
    state: dict[str, np.ndarray], arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        from_torch(state, **arguments)


def test_only_modules_and_state_dicts() -> None:
    with pytest.raises(TypeError, match="state_dict"):
        from_torch([1, 2])
