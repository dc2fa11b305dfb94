"""One layer for each step of a sequence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fastrnn.layers.batch_normalization import BatchNormalization
from fastrnn.layers.dropout import Dropout
from fastrnn.layers.inputs import as_numbers
from fastrnn.layers.layer import Layer, Shape
from fastrnn.layers.serialization import deserialize, serializable, serialize
from fastrnn.symbolic import is_shape


class _Cache(NamedTuple):
    """What `forward` keeps for `backward`.

    Attributes:
        shape: That of the input.
        caches: What the layer kept: of all steps at once, or of each.
    """

    shape: tuple[int, ...]
    caches: list[Any]


@serializable("keras.layers")
class TimeDistributed(Layer):
    """Applies a layer to each step of its input, with the same weights.

    The steps are computed at once, as rows of one batch, unless the layer would mix rows: then
    (a stateful layer, a BatchNormalization, a dropout mask that is shared among rows) they are one
    after another.

    As in Keras the mask of the input is that of the output too, and an activity regularizer of
    the layer inside is not applied: that of the TimeDistributed is.

    Args:
        layer: A layer of one output. It is used as it is, not copied.
        **kwargs: `name`, `trainable`, `activity_regularizer`, `input_shape`.

    Call arguments:
        inputs: `[batch, steps, ...]`, at least three dimensions and one step.
        training: Whether dropout is active.
        mask: `[batch, steps, ...]`, booleans; the layer gets its part of it if it takes masks.

    Returns of a call:
        `[batch, steps, ...]`.

    Raises:
        ValueError: If `layer` is not a layer, or one of several outputs.

    Example:
        >>> import numpy as np
        >>> from fastrnn.layers import LSTM
        >>> TimeDistributed(LSTM(4))(np.zeros((2, 5, 3, 6))).shape  # 5 sequences of 3 steps each
        (2, 5, 4)
    """

    supports_masking = True
    uses_mask = True

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        if not isinstance(layer, Layer):
            raise ValueError(f"`layer` must be a layer. Received: layer={layer!r}")
        if any(inside.regularizes_activity for inside in layer._sublayers()):
            raise ValueError(
                "A TimeDistributed cannot apply the activity regularizers of layers inside its "
                f"`layer`. Received: layer={layer!r}"
            )
        super().__init__(**kwargs)
        self.layer = layer
        if not self.trainable:
            self.trainable = False  # that of the layer inside too

    def _sublayers(self) -> tuple[Layer]:
        return (self.layer,)

    def _create_weights(self, input_shape: Shape) -> None:
        if not self.layer.built:
            self.layer.scope = f"{self.scope}{self.name}/"
        self.layer.build(_step_shape(input_shape))

    @property
    def regularizes_activity(self) -> bool:
        """Whether it has a regularizer of its own."""
        return self.activity_regularizer is not None

    # ------------------------------------------------------------------------ shapes, building

    def check_input_shape(self, shape: Shape) -> None:
        """Refuse what has not three dimensions and a step, or whose steps the layer refuses."""
        if len(shape) < 3 or shape[1] == 0:
            raise ValueError(
                f"The input of layer '{self.name}' must have at least three dimensions, (batch, "
                f"steps, ...), and at least one step. Received: shape={shape}"
            )
        self.layer.check_input_shape(_step_shape(shape))

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        """Return the layer's output shape for a step, with the steps behind the batch."""
        shape = self.layer.compute_output_shape(_step_shape(input_shape))
        if not is_shape(shape):
            raise ValueError(
                f"The layer in '{self.name}' must have one output. Received: layer "
                f"'{self.layer.name}' with {len(shape)}, of the shapes {shape}"
            )
        return (shape[0], input_shape[1], *shape[1:])

    def as_input(self, inputs: Any, name: str = "inputs") -> np.ndarray:
        """Convert inputs as the layer does."""
        array = as_numbers(inputs, name)
        if array.ndim < 3:
            self.check_input_shape(array.shape)
        return _joined([self.layer.as_input(_fold(array), name)], array.shape)

    # ------------------------------------------------------------------------------ computation

    def _checked_arguments(
        self, x: np.ndarray, training: bool = False, mask: Any = None
    ) -> tuple[Any, dict[str, Any]]:
        self.compute_output_shape(x.shape)
        checked = None
        if mask is not None:
            checked = np.ascontiguousarray(as_numbers(mask, "mask"), dtype=np.bool_)
            if checked.shape[:2] != x.shape[:2]:
                raise ValueError(
                    f"`mask` must have at least two dimensions, (batch, steps), {x.shape[:2]}. "
                    f"Received: shape={checked.shape}"
                )
        return (), {"training": training, "mask": checked}

    def call(
        self, x: np.ndarray, training: bool = False, mask: np.ndarray | None = None
    ) -> np.ndarray:
        """Apply the layer to a checked array that is not empty, without keeping tapes.

        Args:
            x: Array, as `as_input` returns it.
            training: Whether dropout and the like are active.
            mask: `[batch, steps]`, booleans, or None.
        """
        calls = self._calls(x, training, mask)
        return _joined([self.layer.infer(*arguments) for arguments in calls], x.shape)

    def forward(
        self, x: np.ndarray, training: bool = False, mask: np.ndarray | None = None
    ) -> tuple[np.ndarray, _Cache]:
        """Apply the layer and keep what its backward pass needs.

        Args:
            x: Array, as `as_input` returns it.
            training: Whether dropout and the like are active.
            mask: `[batch, steps]`, booleans, or None.
        """
        results = [self.layer.run(*call) for call in self._calls(x, training, mask)]
        y = _joined([output for output, _ in results], x.shape)
        return y, _Cache(x.shape, [cache for _, cache in results])

    def backward(
        self, cache: _Cache, d_y: np.ndarray, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """Go back through `forward`; the gradients of the weights add up over the steps."""
        d_parts = [_fold(d_y)] if len(cache.caches) == 1 else _steps(d_y)
        d_inputs, d_weights = zip(
            *[
                self.layer.run_back(one, d, input_gradient)
                for one, d in zip(cache.caches, d_parts, strict=True)
            ],
            strict=True,
        )
        gradients = [sum(steps[1:], steps[0]) for steps in zip(*d_weights, strict=True)]
        if not input_gradient or d_inputs[0] is None:
            return None, gradients
        return _joined(d_inputs, cache.shape), gradients

    def _calls(self, x: np.ndarray, training: bool, mask: np.ndarray | None) -> list[Any]:
        """Return the arguments of each call of the layer: one, or one for every step."""
        split = _steps if _mixes_rows(self.layer) else _all_steps
        if mask is None or not self.layer.uses_mask:
            return [(part, training) for part in split(x)]
        if mask.ndim < 3:
            raise ValueError(
                f"The mask of layer '{self.name}' must have three dimensions, (batch, steps, "
                f"steps of the layer '{self.layer.name}'). Received: shape={mask.shape}"
            )
        return [(part, training, its) for part, its in zip(split(x), split(mask), strict=True)]

    # ----------------------------------------------------------------------------------- config

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values, in Keras's form."""
        return {**self._shared_config(), "layer": serialize(self.layer)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> TimeDistributed:
        """Make a layer, without weights, from the result of `get_config` (Keras's works too)."""
        return super().from_config(config | {"layer": deserialize(config["layer"])})


def _mixes_rows(layer: Layer) -> bool:
    """Return whether what a layer makes of a row depends on the other rows of its batch."""
    shared_noise = isinstance(layer, Dropout) and (layer.noise_shape or (None,))[0] is not None
    mixes = layer.stateful or shared_noise or isinstance(layer, BatchNormalization)
    return mixes or any(map(_mixes_rows, layer._sublayers()))


def _step_shape(shape: Sequence[int | None]) -> Shape:
    return (shape[0], *shape[2:])


def _fold(array: np.ndarray) -> np.ndarray:
    """Turn `[batch, steps, ...]` into `[batch * steps, ...]`."""
    return array.reshape(array.shape[0] * array.shape[1], *array.shape[2:])


def _all_steps(array: np.ndarray) -> list[np.ndarray]:
    """Return all steps as one batch."""
    return [_fold(array)]


def _steps(array: np.ndarray) -> list[np.ndarray]:
    """Return each step as a batch of its own."""
    return [np.ascontiguousarray(array[:, step]) for step in range(array.shape[1])]


def _joined(parts: Sequence[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    """Turn the results of all steps, one array or one for each, into `[batch, steps, ...]`."""
    if len(parts) == 1:
        return parts[0].reshape(*shape[:2], *parts[0].shape[1:])
    return np.stack(parts, axis=1)
