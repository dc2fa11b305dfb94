"""Compares the names of `fastrnn.ops` with those of the installed Keras; writes docs/api/ops.md.

python tools/ops_table.py
"""

from __future__ import annotations

import inspect
from pathlib import Path
from types import ModuleType

from fastrnn import ops
from generated_text import write_between_markers

PAGE = Path(__file__).resolve().parents[1] / "docs" / "api" / "ops.md"
BEGIN = "<!-- python tools/ops_table.py writes what follows -->"

# Why names are missing. The names that no row holds are REST.
REASONS = {
    "images, convolutions and pooling: layers do these": (
        "adaptive_average_pool adaptive_max_pool average_pool max_pool conv conv_transpose "
        "depthwise_conv separable_conv depth_to_space space_to_depth fold unfold psnr"
    ),
    "factorizations and solvers of linear algebra: use NumPy outside of a trace": (
        "cholesky cholesky_inverse det eig eigh inv logdet lstsq lu_factor matrix_rank pinv qr "
        "slogdet solve solve_triangular svd"
    ),
    "complex numbers and transforms of sound: arrays are real": (
        "angle conj conjugate extract_sequences fft fft2 ifft2 imag irfft isreal istft polar real "
        "rfft stft view_as_complex view_as_real"
    ),
    "windows of signals: NumPy has them": "bartlett blackman hamming hanning kaiser",
    "integers and bits: use NumPy, they have no derivative": (
        "bitwise_and bitwise_invert bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift "
        "bitwise_xor gcd lcm left_shift right_shift bincount digitize histogram searchsorted "
        "unique unravel_index isin nonzero argpartition"
    ),
    "derivatives by other means: `fastrnn.tracing` has its own": "custom_gradient jvp",
}
REST = "not needed by scripts for recurrent networks so far"


def public(module: ModuleType) -> list[str]:
    """Return the names of the functions of a module."""
    return [n for n, value in inspect.getmembers(module, callable) if not n.startswith("_")]


def table(keras_ops: ModuleType) -> str:
    """Return the table of the names that are here and of those that are not."""
    names = public(keras_ops)
    missing = [name for name in names if name not in ops.__all__]
    groups = {reason: row.split() for reason, row in REASONS.items()}
    stale = {name for row in groups.values() for name in row} - set(missing)
    if stale:
        raise ValueError(f"`REASONS` holds names that are not missing: {sorted(stale)}")
    known = {name for row in groups.values() for name in row}
    groups[REST] = [name for name in missing if name not in known]
    rows = [("here", [name for name in names if name in ops.__all__]), *groups.items()]
    return "\n".join(
        ["| | names |", "|---|---|"]
        + [f"| {what} | {', '.join(f'`{name}`' for name in sorted(row))} |" for what, row in rows]
    )


def main() -> None:
    """Write the page."""
    import keras

    write_between_markers(PAGE, BEGIN, table(keras.ops))


if __name__ == "__main__":
    main()
