"""The `call` of a user's layer or model while it runs: what layers that it calls learn from it."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from fastrnn.tracing import masks_known, plain, standing_for


class Call:
    """A call of a user's layer or model that runs.

    Args:
        layer: The layer; None for a function that is no layer.
        training: Whether dropout is active in the layers that it calls; None if nobody said it.
        outer: The call around it, or None.

    Attributes:
        losses: What `add_loss` and activity regularizers have added, also in calls inside.
        masks: Arrays with their masks, by the ids of the arrays, which so are kept alive.
    """

    def __init__(self, layer: Any, training: bool | None, outer: Call | None = None) -> None:
        self.layer, self.training, self.outer = layer, training, outer
        self.losses: list[Any] = [] if outer is None else outer.losses
        self._embedded: dict[int, tuple[Any, Any, Any]] = {} if outer is None else outer._embedded
        self.masks: dict[int, tuple[Any, Any]] = {} if outer is None else outer.masks

    def set_embedded(self, array: Any, tokens: Any, table: Any) -> None:
        """Remember that an array holds the vectors of tokens, which recurrent layers take sooner.

        Args:
            array: The array, traced or not.
            tokens: The tokens.
            table: The weight with a vector for each token.
        """
        self._embedded[id(array)] = array, tokens, table

    def embedded(self, array: Any) -> tuple[Any, Any] | None:
        """Return the tokens and the table that an array was made of, or None.

        Args:
            array: The array, traced or not.
        """
        found = self._embedded.get(id(array))
        return None if found is None else found[1:]

    @property
    def scope(self) -> str:
        """What stands before the names of the weights that layers make in this call."""
        if self.layer is not None:
            return f"{self.layer.scope}{self.layer.name}/"
        return "" if self.outer is None else self.outer.scope

    def set_mask(self, array: Any, mask: Any) -> None:
        """Remember the mask of an array, unless it has one.

        Args:
            array: The array, traced or not.
            mask: Its mask, or None.
        """
        if mask is not None:
            self.masks.setdefault(id(array), (array, mask))

    def take_mask_off(self, array: Any) -> None:
        """Forget the mask of an array.

        Args:
            array: The array, traced or not.
        """
        self.masks.pop(id(array), None)

    def mask_of(self, array: Any) -> Any:
        """Return the mask of an array, or None.

        Args:
            array: The array, traced or not.
        """
        found = self.masks.get(id(array))
        return None if found is None else found[1]


class Extras(NamedTuple):
    """What a call has beside its outputs.

    Attributes:
        loss: What was added to the loss.
        masks: The mask of each output, or None.
    """

    loss: float
    masks: Sequence[Any]


class _Running(threading.local):
    call: Call | None = None
    extras = Extras(0.0, ())


_running = _Running()


def running_call() -> Call | None:
    """Return the innermost call of a user's layer or model that runs in this thread."""
    return _running.call


@contextmanager
def entered(layer: Any, training: bool | None, outer: Call | None = None) -> Iterator[Call]:
    """Let a call run, within a `with` block.

    Args:
        layer: The layer; None for a function that is no layer.
        training: Whether dropout is active in it.
        outer: The call around it, whose losses and masks are its own too; None for none.
    """
    before = _running.call
    _running.call = call = Call(layer, training, outer)
    try:
        with masks_known(call.masks):
            yield call
    finally:
        _running.call = before


@contextmanager
def as_traced(
    weights: Mapping[int, Any], training: bool | None, outer: Call | None = None
) -> Iterator[Call]:
    """Let traced arrays stand for weights in the calls of layers, within a `with` block.

    Args:
        weights: The arrays, by the ids of the variables.
        training: Whether dropout is active in layers whose call does not say it.
        outer: The call around it, which shares masks; None for none.
    """
    with standing_for(weights), entered(None, training, outer) as call:
        yield call


def trains_now(training: bool | None) -> bool:
    """Return whether dropout is active in a layer that is called within a trace.

    Args:
        training: What the call says; None for what holds for the layer around it.
    """
    if training is None and _running.call is not None:
        training = _running.call.training
    return bool(training)


def extras_of(call: Call, outputs: Sequence[Any]) -> Extras:
    """Return what a call has beside its outputs.

    Args:
        call: The call, which has ended.
        outputs: Its outputs.
    """
    loss = float(sum(plain(loss) for loss in call.losses))
    return Extras(loss, [plain(call.mask_of(each)) for each in outputs])


def leave_extras(extras: Extras) -> None:
    """Keep what the last call in this thread had beside its outputs, for `take_extras`.

    Args:
        extras: What it had.
    """
    _running.extras = extras


def take_extras() -> Extras:
    """Return what the last call in this thread had beside its outputs."""
    return _running.extras


def warn_of_lost_mask(layer: Any) -> None:
    """Warn that the mask of a layer's input ends there.

    Args:
        layer: The layer.
    """
    warnings.warn(
        f"Layer '{layer.name}' (of type {type(layer).__name__}) does not support masks: the "
        "layers above it see none. Set its `supports_masking` to let them pass.",
        stacklevel=5,
    )
