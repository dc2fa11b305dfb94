"""Methods that a user's class overrides, and that would not be called: they are refused."""

from __future__ import annotations

# Keras calls these of a layer; here nothing does.
NOT_CALLED_OF_LAYERS = (
    "add_loss",
    "compute_output_spec",
    "stateless_call",
    "symbolic_call",
    "quantized_call",
)


def refuse_overrides(cls: type) -> None:
    """Refuse a user's layer that overrides what would not be called, or called only at times.

    Prediction uses `call` and training `forward`: a class that overrides one of them, below a
    layer that has both, would do something else in prediction than in training.

    Args:
        cls: The class of the layer.

    Raises:
        ValueError: If it does so.
    """
    owner = {name: _owner(cls, name) for name in ("call", "forward")}
    for each in cls.__mro__:
        if each.__module__.partition(".")[0] == "fastrnn":
            return
        for name in NOT_CALLED_OF_LAYERS:
            if name in vars(each):
                raise ValueError(
                    f"`{name}` of a layer cannot be overridden: it would not be called. "
                    f"Received: class {cls.__name__}, which overrides `{name}`"
                )
        for name, other in (("call", "forward"), ("forward", "call")):
            if name in vars(each) and _is_layer_of_ours(owner[other]):
                raise ValueError(
                    f"`{name}` of {owner[other].__name__} cannot be overridden without `{other}`: "
                    "prediction uses `call`, training `forward`. "
                    f"Received: class {cls.__name__}, which overrides `{name}` alone"
                )


def _owner(cls: type, name: str) -> type:
    """Return the class that a method comes from."""
    return next(each for each in cls.__mro__ if name in vars(each))


def _is_layer_of_ours(cls: type) -> bool:
    """Return whether a class is a layer of fastrnn with computations of its own."""
    return cls.__module__.partition(".")[0] == "fastrnn" and cls.__name__ != "Layer"
