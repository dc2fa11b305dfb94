"""How `fastrnn.torch` behaves inside PyTorch: operators, compilation, swapping, threads, errors."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import subprocess
import sys
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import fastrnn
import pytest
from fastrnn import kernels
from fastrnn.kernels.tape_owner import count_owners

torch = pytest.importorskip("torch", exc_type=ImportError)

import fastrnn.torch as ours  # noqa: E402
from fastrnn.torch import operators  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.nn.utils import rnn as utils  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402


class Forecaster(nn.Module):
    """Two LSTM layers and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(3, 16, num_layers=2, batch_first=True)
        self.head = nn.Linear(16, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.rnn(x)[0][:, -1])


class Tagger(nn.Module):
    """A bidirectional GRU over packed sentences."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(30, 8)
        self.rnn = nn.GRU(8, 12, bidirectional=True, batch_first=True)
        self.head = nn.Linear(24, 4)

    def forward(self, tokens: Tensor) -> Tensor:
        lengths = (tokens > 0).sum(1).clamp(min=1)
        packed = utils.pack_padded_sequence(
            self.table(tokens), lengths, batch_first=True, enforce_sorted=False
        )
        return self.head(utils.pad_packed_sequence(self.rnn(packed)[0], batch_first=True)[0])


def losses(model: nn.Module, inputs: Tensor, target: Tensor, loss: Any) -> list[float]:
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    made = []
    for _ in range(50):
        optimizer.zero_grad()
        value = loss(model(inputs), target)
        value.backward()
        optimizer.step()
        made.append(value.item())
    return made


def problem(name: str) -> tuple[nn.Module, Tensor, Tensor, Any]:
    torch.manual_seed(0)
    if name == "forecaster":
        return Forecaster(), torch.randn(16, 12, 3), torch.randn(16, 1), nn.functional.mse_loss
    tokens = torch.randint(1, 30, (16, 10))
    lengths = torch.randint(1, 11, (16, 1))
    lengths[0] = 10
    tokens[torch.arange(10) >= lengths] = 0
    target = torch.randint(0, 4, (16, 10))
    return Tagger(), tokens, target, lambda y, t: nn.functional.cross_entropy(y.transpose(1, 2), t)


@pytest.mark.parametrize("name", ["forecaster", "tagger"])
def test_fifty_steps_follow_the_module_that_is_not_accelerated(name: str) -> None:
    model, inputs, target, loss = problem(name)
    want = losses(copy.deepcopy(model), inputs, target, loss)
    got = losses(ours.accelerate(model), inputs, target, loss)
    assert got == pytest.approx(want, abs=1e-4)
    assert want[-1] < 0.7 * want[0]


def arguments(cell: str, gates: int, **changes: Any) -> tuple[Any, ...]:
    torch.manual_seed(2)
    values = {
        "cell": cell,
        "x": torch.randn(3, 5, 2, requires_grad=True),
        "kernel": torch.randn(2, gates * 4, requires_grad=True),
        "recurrent_kernel": torch.randn(4, gates * 4, requires_grad=True),
        "bias": torch.randn((2, 12) if cell == "gru" else (gates * 4,), requires_grad=True),
        "h": torch.randn(3, 4, requires_grad=True),
        "c": torch.randn(3, 4, requires_grad=True) if cell == "lstm" else None,
        "mask": torch.rand(3, 5) > 0.3,
        "activation": "tanh",
        "go_backwards": False,
        "keep_tape": True,
    }
    return tuple({**values, **changes}.values())


@pytest.mark.parametrize(("cell", "gates"), [("simple_rnn", 1), ("lstm", 4), ("gru", 3)])
def test_operators_pass_opcheck(cell: str, gates: int) -> None:
    packed = {
        "x": torch.randn(12, 2, requires_grad=True),
        "mask": None,
        **operators._OTHERS,
        "batch_sizes": torch.tensor([3, 3, 2, 2, 2]),
    }
    for changes in ({}, {"mask": None, "bias": None, "go_backwards": True}, packed):
        torch.library.opcheck(operators.rnn_forward, arguments(cell, gates, **changes))


def test_the_short_way_gives_what_the_operators_give() -> None:
    """`run_forward` passes PyTorch's dispatcher by, but not where a mode listens."""
    given = arguments("lstm", 4)
    inputs = [each for each in given if isinstance(each, Tensor) and each.requires_grad]
    seen = []
    for forward in (operators.rnn_forward, operators.run_forward):
        outputs, h, c, _ = forward(*given)
        total = outputs.square().sum() + (h * c).sum()
        seen.append([outputs, h, c, *torch.autograd.grad(total, inputs)])
    assert "_Direct" in type(outputs.grad_fn).__name__
    assert all(map(torch.equal, *seen))
    module, x = ours.GRU(3, 4), torch.randn(5, 2, 3)
    with FlopCounterMode(display=False):
        assert "_Direct" not in type(module(x)[0].grad_fn).__name__


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_torch_compile_keeps_one_graph(name: str) -> None:
    torch.manual_seed(0)
    module = getattr(ours, name)(3, 4, num_layers=2)
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    x = torch.randn(6, 2, 3)
    want, got = module(x)[0], compiled(x)[0]
    assert torch.equal(got, want)
    want.sum().backward()
    gradients = [parameter.grad.clone() for parameter in module.parameters()]
    module.zero_grad()
    got.sum().backward()
    for parameter, gradient in zip(module.parameters(), gradients, strict=True):
        assert torch.equal(parameter.grad, gradient)


def test_a_tape_lives_as_long_as_its_graph() -> None:
    gc.collect()
    before = count_owners()
    output = ours.LSTM(3, 4)(torch.randn(5, 2, 3))[0]
    assert count_owners() == before + 1
    output.sum().backward(retain_graph=True)
    output.sum().backward()
    del output
    gc.collect()
    assert count_owners() == before


def test_without_gradients_nothing_is_kept() -> None:
    module = ours.GRU(3, 4)
    with torch.no_grad():
        output, _ = module(torch.randn(5, 2, 3))
    assert not output.requires_grad
    assert not ours.GRU(3, 4).requires_grad_(False)(torch.randn(5, 2, 3))[0].requires_grad


def test_a_weight_that_changes_before_backward_is_refused() -> None:
    module = ours.LSTM(3, 4)
    x = torch.randn(5, 2, 3, requires_grad=True)
    hidden = x * 1.0
    output, _ = module(hidden)
    with torch.no_grad():
        hidden.mul_(2.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        output.sum().backward()


def test_second_derivatives_are_refused_in_words() -> None:
    x = torch.randn(5, 2, 3, requires_grad=True)
    output, _ = ours.LSTM(3, 4)(x)
    (gradient,) = torch.autograd.grad(output.sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match=r"first derivatives only.*restore"):
        gradient.sum().backward()


def test_accelerate_keeps_parameters_hooks_and_optimizer() -> None:
    model = Forecaster()
    parameters = list(model.parameters())
    calls: list[str] = []
    hook = model.rnn.register_forward_hook(lambda *_: calls.append("hook"))
    rnn = model.rnn
    assert ours.accelerate(model) is model
    assert model.rnn is rnn
    assert type(rnn) is ours.LSTM
    assert all(one is other for one, other in zip(model.parameters(), parameters, strict=True))
    state = {key: value.clone() for key, value in model.state_dict().items()}
    x = torch.randn(2, 5, 3)
    want = model(x)
    assert calls == ["hook"]
    hook.remove()
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model.rnn))):
        assert isinstance(getattr(twin, "rnn", twin), ours.LSTM)
    assert ours.restore(model) is model
    assert type(model.rnn) is nn.LSTM
    torch.testing.assert_close(model(x), want)
    Forecaster().load_state_dict(state)


def test_classes_of_the_users_own_are_left_alone() -> None:
    class Peephole(nn.LSTM):
        pass

    model = ours.accelerate(nn.ModuleList([Peephole(2, 3), nn.GRU(2, 3), nn.Linear(2, 3)]))
    assert [type(each) for each in model] == [Peephole, ours.GRU, nn.Linear]
    assert [type(each) for each in ours.restore(model)] == [Peephole, nn.GRU, nn.Linear]


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_what_the_kernels_do_not_take_runs_in_torch_or_is_refused(name: str) -> None:
    torch.manual_seed(0)
    own = getattr(nn, name)(3, 4).double()
    module = ours.accelerate(copy.deepcopy(own))
    x = torch.randn(5, 2, 3, dtype=torch.float64)
    with pytest.warns(UserWarning, match="but a tensor is of type torch.float64"):
        got = module(x)[0]
    assert torch.equal(got, own(x)[0])
    with pytest.raises(ValueError, match="float32 on the CPU"):
        ours.accelerate(module, unsupported="error")(x)
    with pytest.raises(ValueError, match="float32 on the CPU"):
        ours.accelerate(module)(x, None, torch.zeros(5, 2, dtype=torch.bool))
    single = ours.accelerate(copy.deepcopy(own).float())
    with torch.autocast("cpu"), pytest.warns(UserWarning, match="autocast"):
        single(x.float())
    with pytest.warns(UserWarning, match="device 'meta'"):
        assert copy.deepcopy(single).to("meta")(x.float().to("meta"))[0].shape == (5, 2, 4)


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda m, x: m(x[None]), ValueError, "2D or 3D"),
        (lambda m, x: m(x[..., :2]), RuntimeError, "input_size"),
        (lambda m, x: m(x, (torch.zeros(1, 3, 4),) * 2), RuntimeError, r"hidden\[0\] size"),
        (lambda m, x: m(x, None, torch.zeros(5)), ValueError, r"shape \(5, 2\)"),
        (lambda m, x: m(x, None, [0]), ValueError, "Received: list"),
        (lambda m, x: ours.accelerate(m, "never"), ValueError, "'torch' or 'error'"),
        (lambda m, x: ours.accelerate(x), TypeError, "Received: Tensor"),
        (lambda m, x: ours.restore(None), TypeError, "Received: NoneType"),
        (lambda m, x: ours.RNN(2, 3, nonlinearity="sin"), ValueError, "'tanh' or 'relu'"),
        (lambda m, x: ours.LSTMCell(3, 4)(x), ValueError, "A cell takes"),
    ],
)
def test_bad_input(call: Callable[..., Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        call(ours.LSTM(3, 4), torch.randn(5, 2, 3))


def test_resets_of_packed_or_bidirectional_layers_are_refused() -> None:
    reset, x = torch.zeros(5, 2, dtype=torch.bool), torch.randn(5, 2, 3)
    with pytest.raises(ValueError, match="bidirectional"):
        ours.GRU(3, 4, bidirectional=True)(x, None, reset)
    packed = utils.pack_padded_sequence(x, [5, 2])
    with pytest.raises(ValueError, match="PackedSequence"):
        ours.GRU(3, 4)(packed, None, reset)


def test_an_empty_batch_is_torchs_matter() -> None:
    assert ours.GRU(3, 4)(torch.zeros(5, 0, 3))[0].shape == (5, 0, 4)


def test_threads_follow_torch_during_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    forward = kernels.rnn_forward

    def spy(*args: Any, **kwargs: Any) -> Any:
        seen.append(fastrnn.get_num_threads())
        return forward(*args, **kwargs)

    monkeypatch.setattr(kernels, "rnn_forward", spy)
    before = torch.get_num_threads(), fastrnn.get_num_threads()
    module, x = ours.GRU(3, 4), torch.randn(5, 2, 3)
    try:
        for count in (1, 3):
            torch.set_num_threads(count)
            module(x)
        assert seen == [1, 3]
        assert fastrnn.get_num_threads() == before[1]
    finally:
        torch.set_num_threads(before[0])


BORROWED = """
import os, sys
{imports}
from torch import nn
import fastrnn.torch
from fastrnn import _core
torch.set_num_threads(2)
if sys.argv[1] == "nobody's":
    _core.lend_threads(0, 0, 0)
torch.ones(2_000_000).exp().sum()  # PyTorch has its threads now
before = len(os.listdir("/proc/self/task"))
torch.manual_seed(0)
lstm, gru = nn.LSTM(8, 96, 2), nn.GRU(8, 96, bidirectional=True)
x = torch.randn(30, 16, 8)
def gradients(module):
    module.zero_grad()
    module(x)[0].square().sum().backward()
    return [p.grad.clone() for p in module.parameters()]
lstm, gru = fastrnn.torch.accelerate(lstm), fastrnn.torch.accelerate(gru)
with torch.no_grad():
    fastrnn.torch.LSTM(8, 96)(x)  # one pass: if it has to wait for a thread, the next will not ask
print(len(os.listdir("/proc/self/task")) - before)
for module in (lstm, gru):
    want = gradients(module)
    for threads in (1, 2, 3, 2):
        torch.set_num_threads(threads)
        assert all(map(torch.equal, gradients(module), want))
"""

import_orders = pytest.mark.parametrize(
    "imports", ["import torch, fastrnn", "import fastrnn, torch"], ids=["torch first", "torch last"]
)


def run_script(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, *arguments],
        env={**os.environ, "PYTHONPATH": str(Path(fastrnn.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="another OpenMP")
@import_orders
def test_threads_are_borrowed_from_torch(imports: str) -> None:
    """The kernels start no thread of their own, and results are the same bits."""
    for lender, started in (("torch's", "0"), ("nobody's", "1")):
        done = run_script(BORROWED.format(imports=imports), lender)
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == started


def test_several_threads_of_python_may_borrow() -> None:
    torch.manual_seed(0)
    module, x = ours.LSTM(8, 96), torch.randn(20, 16, 8)

    def gradients(_: object = None) -> Tensor:
        weights = list(module.parameters())
        output = module(x)[0]
        return torch.cat(
            [each.flatten() for each in torch.autograd.grad(output.square().sum(), weights)]
        )

    want = gradients()
    with ThreadPoolExecutor(3) as executor:
        assert all(torch.equal(each, want) for each in executor.map(gradients, range(24)))


FORKED = """
import os, sys
{imports}
from torch import nn
import fastrnn.torch
torch.set_num_threads(2)
model = fastrnn.torch.accelerate(nn.LSTM(8, 32))
x = torch.ones(20, 16, 8)
def step():
    model.zero_grad()
    model(x)[0].sum().backward()
    return [p.grad.sum().item() for p in model.parameters()]
want = step()
with torch.no_grad():
    before = model(x)[0]
pid = os.fork()
if pid == 0:
    # PyTorch's own threads do not survive a fork: its operators would wait for them for ever, and
    # so would borrowers. A forward pass of this size has no operator that PyTorch runs on them.
    with torch.no_grad():
        same = torch.equal(model(x)[0], before)
    torch.set_num_threads(1)
    os._exit(0 if same and step() == want else 3)
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
class Rows(torch.utils.data.Dataset):
    def __len__(self): return 4
    def __getitem__(self, i):
        with torch.no_grad():
            return model(x[:, i : i + 1])[0][-1, 0]
loaded = torch.cat(list(torch.utils.data.DataLoader(Rows(), num_workers=2)))
with torch.no_grad():
    here = model(x)[0][-1, :4]
sys.exit(code or (0 if torch.equal(loaded, here) else 4))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@import_orders
def test_forked_children_and_data_loaders(imports: str) -> None:
    done = run_script(FORKED.format(imports=imports))
    assert done.returncode == 0, done.stderr


def test_fastrnn_does_not_import_torch(run_python: Callable[..., Any]) -> None:
    done = run_python("import sys, fastrnn; sys.exit('torch' in sys.modules)")
    assert done.returncode == 0, done.stderr


def test_without_torch_the_error_says_what_to_install(run_python: Callable[..., Any]) -> None:
    done = run_python("import sys; sys.modules['torch'] = None; import fastrnn.torch")
    assert "pip install" in done.stderr


def test_a_supported_call_warns_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ours.LSTM(3, 4)(torch.randn(5, 2, 3))[0].sum().backward()
