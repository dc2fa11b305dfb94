"""Models of Keras, in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from fastrnn import regularizers
from fastrnn.files.errors import error_context
from fastrnn.layers.layer import Layer
from fastrnn.models.model import Model
from fastrnn.saving.model_config import model_config, model_from_config
from fastrnn.saving.optimizer_state import restore_state, state_of
from fastrnn.utils.custom_objects import custom_object_scope

_CLASSES = ("Sequential", "Functional")


def from_keras(model: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the model of fastrnn that a model of Keras 3 stands for.

    Layers, weights, compile settings and the state of the optimizer are copied, so that `fit` goes
    on where Keras's stopped. States of stateful layers and of dropout's random numbers are not.

    Args:
        model: A `keras.Sequential` or a functional model, on any backend. It stays as it is.
        custom_objects: Classes and functions of fastrnn or your own that stand for those of the
            model that fastrnn does not have, by the names of their classes there.

    Returns:
        The model, with the same names of layers: a Sequential of a Sequential, unless a layer
        stands in it twice, which only a functional model can say.

    Raises:
        TypeError: If it is not a model of Keras.
        ValueError: If a layer or a setting is not supported; the message names it.

    Example:
        >>> import keras  # doctest: +SKIP
        >>> model = fastrnn.from_keras(keras.saving.load_model("model.keras"))  # doctest: +SKIP
        >>> model.fit(x, y)  # doctest: +SKIP
        >>> keras_model = fastrnn.to_keras(model)  # doctest: +SKIP
    """
    names = [cls.__name__ for cls in type(model).__mro__ if cls.__module__.startswith("keras.")]
    found = [name for name in names if name in _CLASSES]
    if isinstance(model, Model) or not found:
        raise TypeError(
            "`model` must be a Sequential or functional model of Keras 3; of a subclass of "
            "`keras.Model` only its layers can be taken over, one by one. "
            f"Received: {type(model).__module__}.{type(model).__name__}"
        )
    config = _config(model, found[0])
    if model.compiled:
        config["compile_config"] = _compile_config(model)
    source = f"Keras model '{model.name}'"
    with custom_object_scope(custom_objects):
        made: Any = model_from_config(config, "", f"{source}, config")
    _copy_vocabularies(model, made)
    if not model.built:
        return made
    with error_context("", f"{source}, weights"):
        made.set_weights([np.asarray(weight) for weight in model.get_weights()])
    if made.compiled:
        values = [np.asarray(variable.numpy()) for variable in model.optimizer.variables]
        with error_context("", f"{source}, state of the optimizer"):
            if model.optimizer.built:
                made.optimizer.build(made.trainable_weights)
            restore_state(made.optimizer, values)
    return made


def _config(model: Any, class_name: str) -> dict[str, Any]:
    """Return the config of a model of Keras, whole.

    That of a Sequential, which Keras takes from the graph of its layers, has a layer only once
    where it stands twice.

    Raises:
        ValueError: If a layer stands twice where there is no other way to say so.
    """
    name = model.name
    if model.built and _repeated(model):
        import keras

        model, class_name = keras.Model(model.inputs, model.outputs, name=name), "Functional"
    _refuse_repeated(model, name, set())
    return {"class_name": class_name, "config": model.get_config()}


def _repeated(model: Any) -> list[str]:
    """Return the names of the layers that stand more than once in a Sequential of Keras."""
    if "Sequential" not in (cls.__name__ for cls in type(model).__mro__):
        return []
    times = Counter(id(layer) for layer in model.layers)
    return [layer.name for layer in model.layers if times[id(layer)] > 1]


def _refuse_repeated(layer: Any, name: str, seen: set[int]) -> None:
    if id(layer) in seen:
        return
    seen.add(id(layer))
    if repeated := _repeated(layer):
        raise ValueError(
            f"Keras model '{name}': the Sequential '{layer.name}' has a layer twice, which its "
            f"config does not tell: make it a functional model. Received: '{repeated[0]}'"
        )
    for each in _inside(layer):
        _refuse_repeated(each, name, seen)


def _compile_config(model: Any) -> dict[str, Any]:
    """Return the compile settings, with what Keras 3.15 forgets.

    That is the `delta` of a Huber loss, and after `model.save("model.h5")` the optimizer.
    """
    config: dict[str, Any] = model.get_compile_config()
    own_optimizer = {
        "class_name": type(model.optimizer).__name__,
        "config": model.optimizer.get_config(),
    }
    config.setdefault("optimizer", own_optimizer)
    arguments = getattr(model.loss, "_fn_kwargs", {})
    if arguments and isinstance(config.get("loss"), dict) and "config" in config["loss"]:
        own = {**arguments, **config["loss"]["config"]}
        config["loss"] = {**config["loss"], "config": own}
    return config


def to_keras(model: Model, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the model of Keras 3 that a model of fastrnn stands for; the way back.

    Args:
        model: The model, which stays as it is.
        custom_objects: Classes and functions of Keras that stand for your own, by their names.

    Returns:
        A model of Keras with the same weights, compile settings and state of the optimizer.

    Raises:
        ImportError: If Keras cannot be imported.
        TypeError: If it is not a model of fastrnn.
        ValueError: If Keras does not know a class of the model.

    Example:
        >>> fastrnn.to_keras(model).summary()  # doctest: +SKIP
    """
    if not isinstance(model, Model):
        raise TypeError(
            f"`model` must be a model of fastrnn. Received: {type(model).__module__}."
            f"{type(model).__name__}"
        )
    try:
        import keras
    except ImportError as error:
        raise ImportError(
            "`to_keras` needs Keras 3 and a backend: `pip install keras tensorflow-cpu`. "
            "`model.save('model.keras')` writes a file for Keras without it."
        ) from error

    own = {"hard_sigmoid_keras2": _hard_sigmoid_keras2, **(custom_objects or {})}
    made = keras.saving.deserialize_keras_object(model_config(model), own)
    _restore_activity_regularizers(model, made)
    _copy_vocabularies(model, made)
    if not model.built:
        return made
    made.set_weights(model.get_weights())
    if model.compiled:
        state = state_of(model.optimizer)
        for variable, (_, value) in zip(made.optimizer.variables, state, strict=False):
            variable.assign(value)
    return made


def _restore_activity_regularizers(ours: Layer, theirs: Any) -> None:
    """Give those back that a constructor of Keras drops: SimpleRNN's, in Keras 3.15."""
    if ours.activity_regularizer is not None and theirs.activity_regularizer is None:
        import keras

        config = regularizers.serialize(ours.activity_regularizer)
        theirs.activity_regularizer = keras.regularizers.deserialize(config)
    by_name = {layer.name: layer for layer in _inside(theirs)}
    for layer in ours._sublayers():
        if layer.name in by_name:
            _restore_activity_regularizers(layer, by_name[layer.name])


def _copy_vocabularies(source: Any, target: Any) -> None:
    """Give layers of text what those of another model have learned, from Keras or to it."""
    learned = source.get_vocabulary(False) if hasattr(source, "get_vocabulary") else []
    if learned and target.get_vocabulary(False) != learned:
        vocabulary = source.get_vocabulary()
        lookup = getattr(source, "_lookup_layer", source)
        weights = getattr(lookup, "idf_weights", None)
        if weights is not None:
            weights = np.asarray(weights)[: len(vocabulary)]  # without zeros behind
        target.set_vocabulary(vocabulary, weights)
    by_name = {layer.name: layer for layer in _inside(target)}
    for layer in _inside(source):
        if layer.name in by_name:
            _copy_vocabularies(layer, by_name[layer.name])


def _inside(layer: Any) -> list[Any]:
    """Return the layers inside a model or wrapper of Keras."""
    wrapped = (getattr(layer, each, None) for each in ("layer", "forward_layer", "backward_layer"))
    return [*getattr(layer, "layers", ()), *[each for each in wrapped if each is not None]]


def _hard_sigmoid_keras2(x: Any) -> Any:
    """The hard sigmoid of Keras 1 and 2, which Keras 3 lacks, of a tensor of Keras."""
    import keras

    return keras.ops.clip(0.2 * x + 0.5, 0.0, 1.0)


_hard_sigmoid_keras2.__name__ = "hard_sigmoid_keras2"  # by which `from_keras` finds ours
