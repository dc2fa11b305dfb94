"""The passes of a layer on arrays that are already checked: forward, backward, forward alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastrnn.layers.built_in_call import reached_by_super
from fastrnn.layers.traced import TracedCall
from fastrnn.layers.weight_owner import WeightOwner

if TYPE_CHECKING:
    from typing_extensions import Self


class Passes(WeightOwner):
    """Base of all layers: the ways in for graphs, which call no user's `call` by themselves."""

    traced: TracedCall | None

    replaces_call = False
    """Whether a user's class overrides `call` of a built-in layer: it is traced then."""

    @property
    def is_own_call(self) -> bool:
        """Whether a user wrote `call`, whose derivative comes from a trace."""
        return self.traced is not None and self.traced.is_own

    @reached_by_super
    def call(self, x: Any, *args: Any, **options: Any) -> Any:
        """Apply the layer to checked arrays that are not empty, without keeping a tape.

        Args:
            x: Array, or list of arrays, as `as_input` returns it.
            *args: Further arguments of `forward`.
            **options: Further arguments of `forward`.

        Returns:
            The output.
        """
        return self.forward(x, *args, **options)[0]

    def infer(self, *arguments: Any, **options: Any) -> Any:
        """Return the output without keeping a tape.

        Args:
            *arguments: Those of `run`.
            **options: Further arguments of the call.
        """
        if self.traced is not None:
            return self.traced.infer(*arguments, **options)
        return self.call(*arguments, **options)

    def run(self, *arguments: Any, **options: Any) -> tuple[Any, Any]:
        """Return the output and the cache for `backward`.

        Args:
            *arguments: Array, or list of arrays, as `as_input` returns it; `training`, whether
                dropout is active; the mask, if the layer uses it.
            **options: Further arguments of the call.
        """
        if self.traced is not None:
            return self.traced.forward(*arguments, **options)
        return self.forward(*arguments, **options)

    def run_back(self, cache: Any, d_y: Any, *arguments: Any, **options: Any) -> tuple[Any, Any]:
        """Go back through one `run`.

        Args:
            cache: What `run` returned.
            d_y: Gradient with respect to the output; of several outputs a list.
            *arguments: Whether the gradient with respect to the input is wanted.
            **options: Further arguments of `backward`.

        Returns:
            What `backward` does.
        """
        if self.traced is not None and self.replaces_call:  # `backward` is the built-in layer's
            return self.traced.backward(cache, d_y)
        return self.backward(cache, d_y, *arguments, **options)

    def forward(self, x: Any, training: bool = False) -> tuple[Any, Any]:
        """Apply the layer and keep what its backward pass needs.

        Args:
            x: Checked array, or list of arrays, as `as_input` returns it.
            training: Whether dropout and the like are active.

        Returns:
            The output and a cache for `backward`.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must implement `call`, or `forward` and `backward`."
        )

    def backward(
        self, cache: Any, d_y: Any, input_gradient: bool = True
    ) -> tuple[Any, Sequence[np.ndarray | None]]:
        """Go back through one `forward`.

        Args:
            cache: What `forward` returned.
            d_y: Gradient with respect to the output; of several outputs a list.
            input_gradient: Whether the gradient with respect to the input is wanted.

        Returns:
            That gradient (or None; of several inputs a list), and those of the weights in the
            order of `weights`.
        """
        if self.traced is not None:
            return self.traced.backward(cache, d_y)
        raise NotImplementedError(f"{type(self).__name__} must implement `backward`.")

    @property
    def output_activation(self) -> str | None:
        """Name of an activation at the layer's end that `without_activation` can leave off."""
        return None

    def without_activation(self) -> Self:
        """Return a layer with the same weights that stops before its `output_activation`."""
        raise NotImplementedError(f"{type(self).__name__} has no output activation.")
