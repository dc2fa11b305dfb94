"""Putting the kernels into a module that exists, and taking them out again."""

from __future__ import annotations

from typing import TypeVar

from torch import nn

from fastrnn.torch.layers import GRU, LSTM, RNN, KernelLayer

_CLASSES: tuple[type[KernelLayer], ...] = (RNN, LSTM, GRU)

Module = TypeVar("Module", bound=nn.Module)


def accelerate(model: Module, unsupported: str = "torch") -> Module:
    """Let every `nn.RNN`, `nn.LSTM` and `nn.GRU` of a module run on fastrnn's kernels.

    The modules stay the objects that they are, with their parameters, buffers and hooks; only
    their class changes, so that an optimizer made before goes on. Classes derived from PyTorch's
    are left alone, since their methods may do anything.

    Args:
        model: A module, which may be a recurrent one itself. It is changed in place.
        unsupported: What a layer shall do where the kernels do not take a tensor (another device,
            another type than float32, autocast): "torch" for PyTorch's own code, with a warning;
            "error" for a ValueError.

    Returns:
        The same module.

    Raises:
        TypeError: If `model` is not a module.
        ValueError: If `unsupported` is not one of these.

    Example:
        >>> from torch import nn
        >>> model = accelerate(nn.Sequential(nn.LSTM(3, 4)))
        >>> type(model[0]).__module__.split(".")[0]
        'fastrnn'
    """
    if unsupported not in ("torch", "error"):
        raise ValueError(
            f"`unsupported` must be 'torch' or 'error'. Received: unsupported={unsupported!r}"
        )
    for module in _modules(model):
        for cls in _CLASSES:
            if type(module) in (cls.own, cls):
                module.__class__ = cls
                module.unsupported = unsupported
    return model


def restore(model: Module) -> Module:
    """Undo `accelerate`: let the layers of a module run PyTorch's own code again.

    Args:
        model: A module, changed in place.

    Returns:
        The same module.

    Raises:
        TypeError: If `model` is not a module.

    Example:
        >>> from torch import nn
        >>> type(restore(accelerate(nn.GRU(3, 4)))) is nn.GRU
        True
    """
    for module in _modules(model):
        if type(module) in _CLASSES:
            assert isinstance(module, KernelLayer)
            module.__dict__.pop("unsupported", None)
            module.__class__ = module.own
    return model


def _modules(model: nn.Module) -> list[nn.Module]:
    if not isinstance(model, nn.Module):
        raise TypeError(f"`model` must be a `torch.nn.Module`. Received: {type(model).__name__}")
    return list(model.modules())
