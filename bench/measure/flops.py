"""How many floating-point operations a training step takes: of the dense problem, and in fact.

Counted are the matrix products, two operations for a multiply-add. Activations and other
element-wise work, sums of biases and the optimizer are not: their time counts against the rates.

B batch rows, T steps, F input features, H units, G gates (SimpleRNN 1, GRU 3, LSTM 4).

The dense problem ("nominal") multiplies each of the B T positions with the kernel [F, G*H] and the
recurrent kernel [H, G*H]: 2 B T G H (F + H) forward. Backward takes twice that: a product that
makes Y = X W costs as much again for the gradient of X as for the gradient of W. Where nobody wants
the gradient of the input, it is counted neither here nor below.

The kernels do less ("executed"):

- A row that begins with padding shares the steps of the padding with the other rows. They are
  walked once, as `prefix` steps of one row; a masked step is not walked at all. What is left is
  `positions`. Everything recurrent is done for W = positions + prefix.
- Tokens are projected once for each of the D = `distinct` tokens of the batch in place of once for
  each position. Backward, the gate gradients are summed per token first, which takes additions
  only; then the products that belong to the input are done for D rows. Where the input is no
  tokens, or a dropout mask tells the rows of one token apart, it is done for W rows.

Operations count in the phase in which the kernels do them. What is done once per token has phases
of its own; what is done per position is done along with the recurrence:

| product                            | once per token  | per position        |
|------------------------------------|-----------------|---------------------|
| x W                                | projection      | forward recurrence  |
| h_prev U                           |       forward recurrence              |
| dh_prev = dgates U^T               |       backward recurrence             |
| dU = h_prev^T dgates               |       weight gradients                |
| dW = x^T dgates                    | input gradients | weight gradients    |
| dx = dgates W^T                    | input gradients | backward recurrence |

Where rows are walked in groups, a group adds to its weight gradients while it walks back. Both then
count in the backward recurrence (`phases.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

# Keys of `_core.phase_seconds()` that hold matrix products.
PROJECTION = "projection"
FORWARD = "forward recurrence"
BACKWARD = "backward recurrence"
WEIGHT_GRADIENTS = "weight gradients"
INPUT_GRADIENTS = "input gradients"
DENSE = "dense"
OPTIMIZER = "optimizer"


@dataclass(frozen=True)
class RecurrentPass:
    """One recurrent layer in one training step, forward and backward.

    Args:
        gates: G.
        batch: B.
        steps: T.
        features: F.
        units: H.
        positions: Row-steps that were walked, without the shared prefix.
        prefix: Steps of the shared prefix.
        distinct: Distinct tokens, where the input was projected once for each; else 0.
        input_gradient: Whether the gradient of the input was wanted.
        tape_bytes: What forward left for backward.
    """

    gates: int
    batch: int
    steps: int
    features: int
    units: int
    positions: int
    prefix: int
    distinct: int
    input_gradient: bool
    tape_bytes: int = 0

    def nominal(self) -> Counter[str]:
        """Operations of the dense problem, by phase."""
        rows = self.batch * self.steps
        return self._operations(recurrent_rows=rows, input_rows=rows)

    def executed(self) -> Counter[str]:
        """Operations that were done, by phase."""
        walked = self.positions + self.prefix
        return self._operations(recurrent_rows=walked, input_rows=self.distinct or walked)

    def _operations(self, recurrent_rows: int, input_rows: int) -> Counter[str]:
        columns = self.gates * self.units
        recurrent = 2 * recurrent_rows * self.units * columns
        of_input = 2 * input_rows * self.features * columns
        of_dx = of_input if self.input_gradient else 0
        count = Counter({FORWARD: recurrent, BACKWARD: recurrent, WEIGHT_GRADIENTS: recurrent})
        if self.distinct:
            count.update({PROJECTION: of_input, INPUT_GRADIENTS: of_input + of_dx})
        else:
            count.update({FORWARD: of_input, WEIGHT_GRADIENTS: of_input, BACKWARD: of_dx})
        return count


@dataclass(frozen=True)
class DensePass:
    """One product with a Dense kernel in one training step, forward or backward.

    Args:
        rows: Rows of the input.
        features: Columns of the input.
        units: Columns of the output.
        products: 1 forward; backward 1 for the kernel's gradient, and 1 for the input's.
    """

    rows: int
    features: int
    units: int
    products: int

    def nominal(self) -> Counter[str]:
        """Operations of the dense problem, by phase."""
        return Counter({DENSE: self.products * 2 * self.rows * self.features * self.units})

    def executed(self) -> Counter[str]:
        """The same: nothing can be left out."""
        return self.nominal()


def total(counts: Iterable[Counter[str]]) -> Counter[str]:
    """The sum by phase."""
    result: Counter[str] = Counter()
    for count in counts:
        result.update(count)
    return result
