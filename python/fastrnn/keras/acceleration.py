"""Putting the kernels into a model that exists, and taking them out again."""

from __future__ import annotations

import weakref
from typing import Any, TypeVar

import keras

from fastrnn.keras.layers import GRU, LSTM, KernelLayer, SimpleRNN

_CLASSES: tuple[type[KernelLayer], ...] = (SimpleRNN, LSTM, GRU)

Model = TypeVar("Model", bound=keras.layers.Layer)

# Models that were compiled for XLA, which Keras turns off while TensorFlow calls the kernels.
_had_jit: weakref.WeakSet[Any] = weakref.WeakSet()


def accelerate(model: Model) -> Model:
    """Let every `SimpleRNN`, `LSTM` and `GRU` of a model run on fastrnn's kernels.

    The layers stay the objects that they are, with weights, names, states and configs; only their
    class changes. So the graph of a functional model, an optimizer and all that `compile` was given
    stay as well, and files that the model saves are Keras's. Layers inside of models, of
    `Bidirectional` and of `TimeDistributed` count too. Classes derived from Keras's are left alone,
    since their methods may do anything.

    Args:
        model: A model or a layer of Keras. It is changed in place. Pass the model that you call
            `fit` of: those around it would go on with the graph that they have made.

    Returns:
        The same model.

    Raises:
        TypeError: If `model` is not a layer of Keras.

    Example:
        >>> import keras
        >>> model = accelerate(keras.Sequential([keras.Input((5, 3)), keras.layers.LSTM(4)]))
        >>> type(model.layers[0]).__module__.split(".")[0]
        'fastrnn'
    """
    for layer in _layers(model):
        for cls in _CLASSES:
            if type(layer) is cls.own:
                _change_class(layer, cls)
    for trainer in _trainers(model):
        if keras.backend.backend() == "tensorflow" and trainer.compiled and trainer.jit_compile:
            trainer.jit_compile = True  # Keras warns and takes False if the layers do not allow it
            if not trainer.jit_compile:
                _had_jit.add(trainer)
    return model


def restore(model: Model) -> Model:
    """Undo `accelerate`: let the recurrent layers of a model run Keras's own code again.

    Args:
        model: A model or a layer of Keras, changed in place.

    Returns:
        The same model.

    Raises:
        TypeError: If `model` is not a layer of Keras.

    Example:
        >>> import keras
        >>> type(restore(accelerate(keras.layers.GRU(4)))) is keras.layers.GRU
        True
    """
    for layer in _layers(model):
        if type(layer) in _CLASSES:
            _change_class(layer, layer.own)
    for trainer in _trainers(model):
        if trainer in _had_jit:
            _had_jit.discard(trainer)
            trainer.jit_compile = True
    return model


def _change_class(layer: Any, cls: type) -> None:
    object.__setattr__(layer, "__class__", cls)  # Keras tracks what its own method sets


def _layers(model: Any) -> list[Any]:
    if not isinstance(model, keras.layers.Layer):
        raise TypeError(f"`model` must be a layer of Keras. Received: {type(model).__name__}")
    return list(model._flatten_layers())


def _trainers(model: Any) -> list[Any]:
    """Return all models, after making them forget the graphs of the layers as they were."""
    trainers = [layer for layer in _layers(model) if isinstance(layer, keras.Model)]
    for trainer in trainers:
        trainer.train_function = trainer.test_function = trainer.predict_function = None
    return trainers
