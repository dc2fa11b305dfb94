"""What layers that walk sequences share: how they are called and what they do with masks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn.layers.inputs import as_floats, as_mask
from fastrnn.layers.layer import Layer, Shape
from fastrnn.symbolic import Node, flatten, is_shape


class SequenceLayer(Layer):
    """Base of the recurrent layers and of `Bidirectional`.

    `call` and `forward` take a mask, and an `kernels.Embedded` in place of an Embedding's output.
    """

    supports_masking = True
    uses_mask = True

    takes_list = True  # of sequences and initial states
    # As in Keras 3 a layer in a graph sees the mask of its sequences only where no states come with
    # them, or where the call says `mask=`. It passes the mask on in any case.
    uses_masks_of_list = False
    takes_tokens = True
    keeps_tape = True

    def as_input(self, inputs: Any, name: str = "inputs") -> np.ndarray:
        """Convert sequences; nested lists are one array here."""
        return as_floats(inputs, name)

    @property
    def state_sizes(self) -> tuple[int, ...]:
        """Number of units of each initial state, in the order in which they are given."""
        raise NotImplementedError(f"{type(self).__name__} must implement `state_sizes`.")

    def _node_of_call(  # type: ignore[override] # as in Keras, states come before the mask
        self,
        sequences: Any,
        initial_state: Any = None,
        mask: Any = None,
        training: Any = None,
        **options: Any,
    ) -> Node:
        """Return the record of a call on symbolic tensors, whose inputs are sequences and states.

        Args:
            sequences: Symbolic tensor; or a list of it and the initial states.
            initial_state: Symbolic tensors of the states before the first step; None for zeros.
            mask: Symbolic mask of the sequences; None for the one that they have.
            training: Whether dropout is active; None to let the model decide.
            **options: Further keyword arguments of `forward`.
        """
        if isinstance(sequences, (list, tuple)):
            sequences, *given = sequences
            initial_state = given or initial_state
        states = flatten(initial_state) if initial_state is not None else []
        inputs = [sequences, *states] if states else sequences
        masks = None if mask is None else [mask, *[None] * len(states)]
        return super()._node_of_call(inputs, training, masks, **options)

    def _sequence_shape(self, shape: Any) -> Shape:
        """Return the shape of the sequences, of a list the first; check those of the states.

        Raises:
            ValueError: If the layer cannot take such initial states.
        """
        if is_shape(shape):
            return tuple(shape)
        sequences, *states = (tuple(each) for each in shape)
        expected = [(sequences[0], units) for units in self.state_sizes]
        fits = len(states) == len(expected) and all(
            len(own) == 2 and own[1] == wanted[1] and (None in (own[0], wanted[0]) or own == wanted)
            for own, wanted in zip(states, expected, strict=True)
        )
        if not fits:
            raise ValueError(
                f"`initial_state` of layer '{self.name}' must be {len(expected)} tensor(s), of the "
                f"shapes {expected}. Received: {states}"
            )
        return sequences

    def build(self, input_shape: Any = None) -> None:
        """Make the weights, unless they exist.

        Args:
            input_shape: Shape of the sequences; or a list of it and those of the initial states.
        """
        super().build(self._sequence_shape(input_shape))

    def __call__(  # type: ignore[override]
        self,
        sequences: Any,
        initial_state: Any = None,
        mask: Any = None,
        training: bool | None = None,
    ) -> Any:
        """Apply the layer to arrays or symbolic tensors; see the class for the arguments."""
        if self.replaces_call:  # a user's, whose arguments may have another order
            given = {"initial_state": initial_state, "mask": mask, "training": training}
            given = {name: value for name, value in given.items() if value is not None}
            return super().__call__(sequences, **given)
        return super().__call__(sequences, initial_state, mask, training)

    def _call_on_arrays(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(inputs, (list, tuple)) and inputs and np.ndim(inputs[0]) == 3:
            inputs, *given = inputs
            args = (given or args[0], *args[1:])
        return super()._call_on_arrays(inputs, *args, **kwargs)

    def _checked_arguments(
        self,
        x: np.ndarray,
        initial_state: Any = None,
        mask: Any = None,
        training: bool | None = None,
    ) -> tuple[Any, dict[str, Any]]:
        self.check_input_shape(x.shape)
        return (), {
            "initial_state": self._as_states(initial_state, len(x)),
            "mask": None if mask is None else as_mask(mask, x),
            "training": bool(training),
        }

    def _parted(self, x: Any, mask: Any) -> tuple[Any, np.ndarray | None, list[np.ndarray] | None]:
        """Return sequences, their mask, and the initial states that stand beside them, or None."""
        if not isinstance(x, list):
            return x, mask, None
        sequences, *states = x
        return sequences, None if mask is None else mask[0], states

    def call(
        self,
        x: Any,
        training: bool = False,
        mask: np.ndarray | None = None,
        initial_state: Sequence[np.ndarray] | None = None,
    ) -> Any:
        """Apply the layer to a checked array that is not empty, without keeping a tape.

        Args:
            x: `[batch, steps, features]`, or embedded tokens; or a list, as in `forward`.
            training: Whether dropout is active.
            mask: `[batch, steps]`, booleans, or None.
            initial_state: The states before the first step, `[batch, units]` each, or None.

        Returns:
            The outputs; with `return_state` a tuple of them and the last states.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement `call`.")

    def forward(
        self,
        x: Any,
        training: bool = False,
        mask: np.ndarray | None = None,
    ) -> tuple[Any, Any]:
        """Walk the steps and keep what the backward pass needs.

        Args:
            x: `[batch, steps, features]`, or embedded tokens; or a list of them and of the states
                before the first step, `[batch, units]` each.
            training: Whether dropout is active.
            mask: `[batch, steps]`, booleans, or None; a list if x is one.

        Returns:
            The outputs, with `return_state` a tuple of them and the last states, and a cache for
            `backward`.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement `forward`.")

    def _as_states(self, initial_state: Any, batch: int) -> tuple[np.ndarray, ...] | None:
        """Convert initial states from outside, or refuse them."""
        raise NotImplementedError(f"{type(self).__name__} must implement `_as_states`.")
