"""The parts of `keras.backend` that scripts for recurrent networks call."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import numpy as np

from fastrnn import config, ops, random
from fastrnn.naming import number_of, reset_names
from fastrnn.ops.describing import as_array
from fastrnn.symbolic import KerasTensor
from fastrnn.variable import Variable

_EPSILON = 1e-7


def clear_session(free_memory: bool = True) -> None:
    """Number new layers and models from the start, in float32 again; collect garbage.

    Models stay usable. There is no global graph, so nothing else has to be cleared. The source of
    random numbers keeps its state.

    Args:
        free_memory: Whether to run the garbage collector.

    Example:
        >>> from fastrnn import backend, layers
        >>> backend.clear_session()
        >>> layers.LSTM(2).name, layers.LSTM(2).name
        ('lstm', 'lstm_1')
        >>> backend.clear_session()
        >>> layers.LSTM(2).name
        'lstm'
    """
    reset_names()
    config.set_dtype_policy("float32")
    if free_memory:
        gc.collect()


def backend() -> str:
    """Return the name of the engine.

    Returns:
        "fastrnn".

    Example:
        >>> backend()
        'fastrnn'
    """
    return "fastrnn"


def floatx() -> str:
    """Return the dtype of weights and results.

    Returns:
        "float32".

    Example:
        >>> floatx()
        'float32'
    """
    return "float32"


def set_floatx(value: str) -> None:
    """Accept float32, the only dtype of weights.

    Args:
        value: "float32".

    Raises:
        ValueError: If it is another dtype.

    Example:
        >>> set_floatx("float32")
    """
    _check_only("floatx", value, floatx(), "the kernels compute in float32")


def epsilon() -> float:
    """Return the number that losses and metrics add to stay away from 0.

    Returns:
        1e-7.

    Example:
        >>> epsilon()
        1e-07
    """
    return _EPSILON


def set_epsilon(value: float) -> None:
    """Accept 1e-7, the only value.

    Args:
        value: 1e-7.

    Raises:
        ValueError: If it is another number.

    Example:
        >>> set_epsilon(1e-7)
    """
    _check_only("epsilon", value, _EPSILON, "the kernels have it built in")


def image_data_format() -> str:
    """Return where the features of an array are.

    Returns:
        "channels_last".

    Example:
        >>> image_data_format()
        'channels_last'
    """
    return "channels_last"


def set_image_data_format(data_format: str) -> None:
    """Accept "channels_last", the only order.

    Args:
        data_format: "channels_last".

    Raises:
        ValueError: If it is another order.

    Example:
        >>> set_image_data_format("channels_last")
    """
    _check_only("data_format", data_format, image_data_format(), "features come last")


def _check_only(name: str, value: Any, only: Any, reason: str) -> None:
    if value != only:
        raise ValueError(f"`{name}` must be {only!r}, because {reason}. Received: {value!r}")


# Operations of the older `keras.backend`, by the names of `fastrnn.ops` where they differ.
_RENAMED = {
    "constant": "convert_to_tensor",
    "eval": "convert_to_numpy",
    "flatten": "ravel",
    "int_shape": "shape",
    "permute_dimensions": "transpose",
    "pow": "power",
    "repeat_elements": "repeat",
}


def _batch_flatten(x: Any) -> Any:
    """Return the samples, each along one axis."""
    return ops.reshape(x, (ops.shape(x)[0], -1))


def _batch_dot(x: Any, y: Any, axes: Any = None) -> Any:
    """Return the products of samples, summed over an axis of each."""
    x, y = (each if hasattr(each, "ndim") else as_array(each) for each in (x, y))
    first, second = (
        (x.ndim - 1, y.ndim - 2 if y.ndim > 2 else 1)
        if axes is None
        else ((axes, axes) if isinstance(axes, int) else axes)
    )
    letters = "abcdefghij"
    of_x = list(letters[: x.ndim])
    of_y = [of_x[0], *letters[x.ndim : x.ndim + y.ndim - 1]]
    of_y[second % y.ndim] = of_x[first % x.ndim]
    kept = [*(c for c in of_x if c != of_x[first % x.ndim]), *of_y[1:]]
    kept = [c for c in kept if c != of_x[first % x.ndim]]
    return ops.einsum(f"{''.join(of_x)},{''.join(of_y)}->{''.join(kept)}", x, y)


def _get_value(x: Any) -> Any:
    """Return the value of a weight, an array or a number."""
    return ops.convert_to_numpy(getattr(x, "value", x))


def _set_value(x: Any, value: Any) -> None:
    """Change a weight, or a number such as the learning rate of an optimizer."""
    x.assign(value)


def _batch_set_value(tuples: Any) -> None:
    """Change several weights, each given with its new value."""
    for x, value in tuples:
        x.assign(value)


def _update(x: Any, new_x: Any) -> Any:
    """Change a weight and return it."""
    x.assign(new_x)
    return x


def _variable(
    value: Any, dtype: Any = None, name: str | None = None, constraint: Any = None
) -> Any:
    """Return a float32 weight."""
    return Variable(value, name=name or "variable", constraint=constraint)


def _bias_add(x: Any, bias: Any, data_format: str | None = None) -> Any:
    """Add a number for each feature."""
    return x + bias


def _random_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Draw normal numbers."""
    return random.normal(shape, mean, stddev, seed=seed)


def _random_uniform(
    shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Draw uniform numbers."""
    return random.uniform(shape, minval, maxval, seed=seed)


def _truncated_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Draw normal numbers within two standard deviations."""
    return random.truncated_normal(shape, mean, stddev, seed=seed)


def _gather(reference: Any, indices: Any) -> Any:
    """Return the rows of these numbers."""
    return ops.take(reference, indices, axis=0)


def _repeat(x: Any, n: int) -> Any:
    """Return rows `[batch, features]` n times along a new second axis."""
    return ops.repeat(ops.expand_dims(x, 1), n, axis=1)


def _l2_normalize(x: Any, axis: Any = None) -> Any:
    """Return x divided by its length, over all axes by default."""
    squares = ops.sum(ops.square(x), axis=axis, keepdims=True)
    return x * ops.rsqrt(ops.maximum(squares, 1e-12))


def _switch(condition: Any, then_expression: Any, else_expression: Any) -> Any:
    """Return one or the other where a condition holds; functions are called."""
    chosen = [each() if callable(each) else each for each in (then_expression, else_expression)]
    return ops.where(condition, *chosen)


def _relu(x: Any, alpha: float = 0.0, max_value: Any = None, threshold: float = 0.0) -> Any:
    """Return x from a threshold on, else a part of what it lacks; with an upper limit."""
    below = alpha * (x - threshold) if alpha else ops.zeros_like(x)
    found = ops.where(ops.greater_equal(x, threshold), x, below)
    return found if max_value is None else ops.minimum(found, max_value)


def _ctc_batch_cost(y_true: Any, y_pred: Any, input_length: Any, label_length: Any) -> Any:
    """Return the CTC losses of probabilities, `[batch, 1]`; the last class is the blank."""
    steps, counts = (ops.reshape(each, (-1,)) for each in (input_length, label_length))
    logits = ops.log(y_pred + _EPSILON)
    return ops.expand_dims(ops.ctc_loss(y_true, logits, counts, steps, mask_index=-1), 1)


def _ctc_decode(
    y_pred: Any, input_length: Any, greedy: bool = True, beam_width: int = 100, top_paths: int = 1
) -> Any:
    """Return labels by CTC, an array for each path, and their scores; the last class is blank."""
    decoded, scores = ops.ctc_decode(
        ops.log(y_pred + _EPSILON),
        input_length,
        "greedy" if greedy else "beam_search",
        beam_width,
        top_paths,
        mask_index=-1,
    )
    return list(decoded), scores


def _with_axis(name: str, axis: int) -> Callable[..., Any]:
    """Return a function of `ops` with the default axis that it has in `keras.backend`."""
    function = getattr(ops, name)

    def with_axis(x: Any, axis: Any = axis, **kwargs: Any) -> Any:
        return function(x, axis=axis, **kwargs)

    return with_axis


_OWN: dict[str, Any] = {
    "argmax": _with_axis("argmax", -1),
    "argmin": _with_axis("argmin", -1),
    "concatenate": _with_axis("concatenate", -1),
    "ctc_batch_cost": _ctc_batch_cost,
    "ctc_decode": _ctc_decode,
    "cumprod": lambda x, axis=0: np.cumprod(x, axis=axis),
    "cumsum": _with_axis("cumsum", 0),
    "expand_dims": _with_axis("expand_dims", -1),
    "gather": _gather,
    "l2_normalize": _l2_normalize,
    "relu": _relu,
    "repeat": _repeat,
    "switch": _switch,
    "batch_dot": _batch_dot,
    "batch_flatten": _batch_flatten,
    "batch_get_value": lambda tensors: [_get_value(each) for each in tensors],
    "batch_set_value": _batch_set_value,
    "bias_add": _bias_add,
    "cast_to_floatx": lambda x: ops.cast(x, "float32"),
    "count_params": lambda x: int(np.prod(x.shape)),
    "dtype": lambda x: str(getattr(x, "dtype", "float32")),
    "get_uid": number_of,
    "get_value": _get_value,
    "is_keras_tensor": lambda x: isinstance(x, KerasTensor),
    "learning_phase": lambda: 0,
    "random_normal": _random_normal,
    "random_uniform": _random_uniform,
    "reverse": lambda x, axes: ops.flip(x, axes),
    "set_value": _set_value,
    "truncated_normal": _truncated_normal,
    "update": _update,
    "update_add": lambda x, increment: _update(x, x + increment),
    "update_sub": lambda x, decrement: _update(x, x - decrement),
    "variable": _variable,
}


def __getattr__(name: str) -> Any:
    if name in _OWN:
        return _OWN[name]
    renamed = _RENAMED.get(name, name)
    if renamed in ops.__all__:
        return getattr(ops, renamed)
    raise AttributeError(f"`fastrnn.backend` has no `{name}`: see `fastrnn.ops` for operations.")
