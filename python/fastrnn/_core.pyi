"""Stub of the native module. `fastrnn.kernels` and `fastrnn.config` are its documented faces."""

from collections.abc import Mapping
from typing import Any, SupportsFloat

import numpy as np
from numpy.typing import ArrayLike, NDArray

_Floats = NDArray[np.float32]
_EachFloats = _Floats | list[_Floats]

__version__: str
compiler: str
ACTIVATIONS: tuple[str, ...]
LOSSES: tuple[str, ...]
CELLS: Mapping[str, CellTraits]

def isa() -> str: ...
def set_isa(name: str) -> None: ...
def isa_levels() -> list[str]: ...
def isa_levels_built() -> list[str]: ...
def bfloat16_products() -> str: ...
def set_bfloat16_products(name: str | None) -> None: ...
def num_threads() -> int: ...
def set_num_threads(n: int) -> None: ...
def set_threads_of_call(n: int) -> None: ...
def lend_threads(parallel: int, thread: int, threads: int) -> None: ...
def cpu_quota(groups: str, root: str) -> float: ...

class CellTraits:
    @property
    def gates(self) -> int: ...
    @property
    def states(self) -> int: ...
    @property
    def cached_lanes(self) -> int: ...
    @property
    def bias_rows(self) -> int: ...

class Tape:
    @property
    def cell(self) -> str: ...
    @property
    def return_sequences(self) -> bool: ...
    @property
    def nbytes(self) -> int: ...
    @property
    def positions(self) -> int: ...
    @property
    def distinct(self) -> int: ...
    @property
    def prefix(self) -> int: ...

# Keyword arguments only: those of the functions of the same names in `fastrnn.kernels`. Where the
# input is `Embedded`, `tokens` and `table` stand in place of `x`.
_Walked = tuple[_Floats, tuple[_Floats, ...], Tape | None]
_Gradients = tuple[_Floats | None, _Floats, _Floats, _Floats | None, tuple[_Floats, ...] | None]

def rnn_forward(**arguments: Any) -> _Walked: ...
def rnn_backward(**arguments: Any) -> _Gradients: ...
def rnn_forward_both(
    first: dict[str, Any], second: dict[str, Any], /
) -> tuple[_Walked, _Walked]: ...
def rnn_backward_both(
    first: dict[str, Any], second: dict[str, Any], /
) -> tuple[_Gradients, _Gradients]: ...
def conv1d_forward(
    x: ArrayLike,
    kernel: ArrayLike,
    bias: ArrayLike | None,
    stride: int,
    dilation: int,
    activation: str,
) -> _Floats: ...
def conv1d_backward(
    x: ArrayLike,
    y: ArrayLike,
    kernel: ArrayLike,
    d_y: ArrayLike,
    stride: int,
    dilation: int,
    activation: str,
    use_bias: bool,
    input_gradient: bool,
) -> tuple[_Floats | None, _Floats, _Floats | None]: ...
def dense_forward(
    x: ArrayLike, kernel: ArrayLike, bias: ArrayLike | None, activation: str
) -> _Floats: ...
def dense_backward(
    x: ArrayLike,
    y: ArrayLike,
    kernel: ArrayLike,
    d_y: ArrayLike,
    activation: str,
    use_bias: bool,
    input_gradient: bool,
) -> tuple[_Floats | None, _Floats, _Floats | None]: ...
def embedding_forward(tokens: ArrayLike, table: ArrayLike) -> _Floats: ...
def embedding_backward(tokens: ArrayLike, d_outputs: ArrayLike, vocabulary: int) -> _Floats: ...
def one_hot_tokens(x: ArrayLike) -> NDArray[np.int32] | None: ...
def activation_forward(x: ArrayLike, activation: str) -> _Floats: ...
def activation_backward(y: ArrayLike, d_y: ArrayLike, activation: str) -> _Floats: ...
def dropout(x: ArrayLike, seed: int, rate: float) -> _Floats: ...
def batch_loss(
    loss: str,
    y_true: ArrayLike,
    y_pred: ArrayLike,
    sigmoid: bool,
    threshold: SupportsFloat,
    gradient: bool,
) -> tuple[float, float, _Floats | None]: ...
def sgd_update(
    variable: _EachFloats,
    gradient: ArrayLike,
    learning_rate: SupportsFloat,
    decay: SupportsFloat | list[float],
    momentum: SupportsFloat,
    nesterov: bool,
    momentum_buffer: _EachFloats | None,
) -> None: ...
def rmsprop_update(
    variable: _EachFloats,
    gradient: ArrayLike,
    velocity: _EachFloats,
    learning_rate: SupportsFloat,
    rho: SupportsFloat,
    epsilon: SupportsFloat,
    decay: SupportsFloat | list[float],
    momentum: SupportsFloat,
    momentum_buffer: _EachFloats | None,
    average_gradient: _EachFloats | None,
) -> None: ...
def adam_update(
    variable: _EachFloats,
    gradient: ArrayLike,
    m: _EachFloats,
    v: _EachFloats,
    step_size: SupportsFloat,
    beta_1: SupportsFloat,
    beta_2: SupportsFloat,
    epsilon: SupportsFloat,
    decay: SupportsFloat | list[float],
    v_max: _EachFloats | None,
) -> None: ...
def adagrad_update(
    variable: _EachFloats,
    gradient: ArrayLike,
    accumulator: _EachFloats,
    learning_rate: SupportsFloat,
    epsilon: SupportsFloat,
    decay: SupportsFloat | list[float],
) -> None: ...
def adadelta_update(
    variable: _EachFloats,
    gradient: ArrayLike,
    squared_gradient: _EachFloats,
    squared_step: _EachFloats,
    learning_rate: SupportsFloat,
    rho: SupportsFloat,
    epsilon: SupportsFloat,
    decay: SupportsFloat | list[float],
) -> None: ...
def adamax_update(
    variable: _EachFloats,
    gradient: ArrayLike,
    m: _EachFloats,
    u: _EachFloats,
    step_size: SupportsFloat,
    beta_1: SupportsFloat,
    beta_2: SupportsFloat,
    epsilon: SupportsFloat,
    decay: SupportsFloat | list[float],
) -> None: ...
def nadam_update(
    variable: _EachFloats,
    gradient: ArrayLike,
    m: _EachFloats,
    v: _EachFloats,
    step_size: SupportsFloat,
    gradient_step_size: SupportsFloat,
    v_correction: SupportsFloat,
    beta_1: SupportsFloat,
    beta_2: SupportsFloat,
    epsilon: SupportsFloat,
    decay: SupportsFloat | list[float],
) -> None: ...

# Seconds that the kernels took by phase, and what the machine can do, for bench/roofline.py.
def set_profiling(enabled: bool) -> None: ...
def phase_seconds(reset: bool = True) -> dict[str, float]: ...
def probe_multiply_adds(steps: int, threads: int) -> tuple[int, float]: ...
def probe_read(x: ArrayLike, threads: int) -> float: ...
def probe_triad(out: _Floats, x: ArrayLike, y: ArrayLike, factor: float, threads: int) -> None: ...
