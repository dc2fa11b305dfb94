"""The systems that are compared: fastrnn and its peers, one entry of `SYSTEMS` each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import metadata, util
from typing import Any

from comparison.trainee import Plan, Trainee
from comparison.workloads import LayerSpec, all_layers


@dataclass(frozen=True)
class System:
    """A package and the settings under which it is timed.

    Args:
        title: Name in tables and charts.
        packages: Modules that must be importable.
        distributions: Distributions whose versions are reported.
        start: Makes the model of a plan, to be trained by so many threads. Runs in the worker.
        environment: Environment variables of the worker.
        at_its_best: Whether these are settings under which the package can be the best peer.
        rounds: Whether it rounds to bfloat16, so that its numbers are only near those of others.
            Such a system takes part only if it is named.
        lacks: Names what the package has nothing for, of the layer given, or returns None.
    """

    title: str
    packages: tuple[str, ...]
    distributions: tuple[str, ...]
    start: Callable[[Plan, int], Trainee]
    environment: dict[str, str] = field(default_factory=dict)
    at_its_best: bool = True
    rounds: bool = False
    lacks: Callable[[LayerSpec], str | None] = lambda layer: None

    def missing(self) -> list[str]:
        """The packages that are not installed."""
        return [package for package in self.packages if util.find_spec(package) is None]

    def lacking(self, layers: Sequence[LayerSpec]) -> list[str]:
        """What keeps the system from building these layers; empty if it can."""
        found = [self.lacks(layer) for layer in all_layers(layers)]
        return list(dict.fromkeys(name for name in found if name is not None))

    def version(self) -> str:
        """Names and versions of what is timed."""
        found = []
        for name in self.distributions:
            try:
                found.append(f"{name} {metadata.version(name)}")
            except metadata.PackageNotFoundError:
                continue
        return ", ".join(found)


# The imports stand in the functions: only the worker of a system may load its package.


def _fastrnn(policy: str) -> Callable[[Plan, int], Trainee]:
    def start(plan: Plan, threads: int) -> Trainee:
        from comparison.keras_style import FastRnn

        return FastRnn(plan, threads, policy)

    return start


def _keras(**compile_options: Any) -> Callable[[Plan, int], Trainee]:
    def start(plan: Plan, threads: int) -> Trainee:
        from comparison.keras_style import Keras

        return Keras(plan, threads, **compile_options)

    return start


def _pytorch(**settings: bool) -> Callable[[Plan, int], Trainee]:
    def start(plan: Plan, threads: int) -> Trainee:
        from comparison.pytorch import PyTorch

        return PyTorch(plan, threads, **settings)

    return start


def _torch_lacks(layer: LayerSpec) -> str | None:
    kind, options = layer
    if "recurrent_dropout" in options:
        return "recurrent_dropout"
    activation = options.get("activation", "tanh")
    if kind in ("LSTM", "GRU") and activation != "tanh":
        return f"activation={activation!r} of {kind}"
    return None


_TENSORFLOW = ("tensorflow", "tensorflow-cpu", "keras")
_ON_TENSORFLOW = {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}

SYSTEMS = {
    "fastrnn": System("fastrnn", ("fastrnn",), ("fastrnn",), _fastrnn("float32")),
    "fastrnn-bfloat16": System(
        "fastrnn, bfloat16",
        ("fastrnn",),
        ("fastrnn",),
        _fastrnn("mixed_bfloat16"),
        at_its_best=False,
        rounds=True,
    ),
    "keras-tf": System("Keras TF", ("keras", "tensorflow"), _TENSORFLOW, _keras(), _ON_TENSORFLOW),
    "keras-xla": System(
        "Keras TF, XLA",
        ("keras", "tensorflow"),
        _TENSORFLOW,
        _keras(jit_compile=True),
        _ON_TENSORFLOW,
    ),
    "keras-jax": System(
        "Keras JAX",
        ("keras", "jax"),
        ("jax", "keras"),
        _keras(),
        {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
    ),
    "torch": System(
        "PyTorch",
        ("torch",),
        ("torch",),
        _pytorch(flush_denormals=False, packed=True),
        at_its_best=False,
        lacks=_torch_lacks,
    ),
    "torch-flush": System(
        "PyTorch, flushed",
        ("torch",),
        ("torch",),
        _pytorch(flush_denormals=True, packed=False),
        lacks=_torch_lacks,
    ),
}
SUBJECT = "fastrnn"
PEERS = tuple(name for name in SYSTEMS if name != SUBJECT)
USUAL_PEERS = tuple(name for name in PEERS if not SYSTEMS[name].rounds)
