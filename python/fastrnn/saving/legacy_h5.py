"""The whole model in one HDF5 file, as Keras 1 to 3 write `.h5` and `.hdf5`."""

from __future__ import annotations

import contextlib
import json
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastrnn import losses
from fastrnn.files import hdf5
from fastrnn.files.errors import InvalidFileError, error_context
from fastrnn.layers.layer import Layer
from fastrnn.layers.vocabulary_layer import vocabularies_in_configs
from fastrnn.saving.archive import KERAS_VERSION, parse_config
from fastrnn.saving.compile_config import compile_from_config
from fastrnn.saving.model_config import model_config, model_from_config
from fastrnn.saving.old_configs import unwrapped
from fastrnn.saving.optimizer_state import read_state, restore_state, state_of
from fastrnn.saving.weights_file import Loaded
from fastrnn.trainers.compiled_model import CompiledModel
from fastrnn.variable import Variable

if TYPE_CHECKING:
    import h5py


def model_bytes(model: CompiledModel, include_optimizer: bool = True) -> bytes:
    """Return the bytes of the `.h5` of a model."""
    with vocabularies_in_configs():
        config = model_config(model)
    training = config.get("compile_config")
    with hdf5.writing() as (file, content):
        file.attrs["keras_version"] = KERAS_VERSION
        file.attrs["backend"] = "fastrnn"
        file.attrs["model_config"] = json.dumps(_old_form(config))
        if training and include_optimizer:
            optimizer = training.pop("optimizer")
            training["loss"] = _full_names(training["loss"])
            training["optimizer_config"] = {key: optimizer[key] for key in ("class_name", "config")}
            file.attrs["training_config"] = json.dumps(training)
        group = file.create_group("model_weights")
        group.attrs["keras_version"] = KERAS_VERSION
        group.attrs["backend"] = "fastrnn"
        hdf5.write_strings(group, "layer_names", [layer.name for layer in model.layers])
        for layer in model.layers:
            named = [(weight.path, weight.value) for weight in _in_old_order(layer)]
            _write_arrays(group.create_group(layer.name), named)
        _write_arrays(group.create_group("top_level_model_weights"), [])
        if training and include_optimizer:
            _write_arrays(file.create_group("optimizer_weights"), state_of(model.optimizer))
    return content[0]


def read_model(file: h5py.File, source: str, compile: bool = True) -> Any:
    """Return the model of an `.h5` file.

    Args:
        file: The opened file.
        source: Its name, for messages.
        compile: Whether to compile the model and to restore its optimizer.

    Raises:
        InvalidFileError: If something is missing or damaged, or does not fit.
    """
    text = hdf5.string_of(file, "model_config", source)
    if text is None:
        raise InvalidFileError.at(
            source, "attribute `model_config`", "it is missing: the file holds no whole model"
        )
    config = parse_config(text, source, "attribute `model_config`")
    config["keras_version"] = hdf5.string_of(file, "keras_version", source)
    model = model_from_config(config, source, "attribute `model_config`", compile=False)
    read_weights(file, model, source).apply(model)
    training = hdf5.string_of(file, "training_config", source) if compile else None
    if training is not None:
        place = "attribute `training_config`"
        settings = parse_config(training, source, place)
        with error_context(source, place):
            settings["optimizer"] = settings.pop("optimizer_config")
            compile_from_config(model, unwrapped(settings))
        _restore_optimizer(file, model, source)
    return model


def read_weights(
    file: h5py.File,
    model: CompiledModel,
    source: str,
    by_name: bool = False,
    skip_mismatch: bool = False,
) -> Loaded:
    """Return what an `.h5` file holds for the layers of a model that is built.

    Args:
        file: The opened file, of a whole model or (Keras 1 and 2) of weights.
        model: The model, which stays as it is.
        source: Name of the file, for messages.
        by_name: Whether a layer takes the weights of the layer of its name in the file, if there
            is one; else the layers that have weights take them one after another.
        skip_mismatch: Whether to warn about weights that do not fit, and leave them out: a layer
            takes the others, if the file has as many for it.

    Raises:
        InvalidFileError: If something is missing, damaged, or of another shape.
    """
    group = file
    if "layer_names" not in file.attrs and "model_weights" in file:
        group = _group(file, "model_weights", source)
    names = hdf5.strings_of(group, "layer_names", source)
    arrays = {
        name: hdf5.strings_of(_group(group, name, source), "weight_names", source) for name in names
    }
    layers = [layer for layer in model.layers if layer.weights]
    if by_name:
        pairs = [(layer, layer.name) for layer in layers if layer.name in arrays]
    else:
        stored = [name for name in names if arrays[name]]
        if len(stored) != len(layers):
            raise InvalidFileError.at(
                source,
                "attribute `layer_names`",
                f"the model has {len(layers)} layers with weights, the file {len(stored)}",
            )
        pairs = list(zip(layers, stored, strict=True))
    weights: list[tuple[Variable, np.ndarray]] = []
    for layer, name in pairs:
        try:
            weights += _layer(
                _group(group, name, source), layer, arrays[name], source, skip_mismatch
            )
        except InvalidFileError as error:
            if not skip_mismatch:
                raise
            _warn_skipped(error)
    return Loaded(weights)


def _warn_skipped(error: InvalidFileError) -> None:
    warnings.warn(f"Weights were skipped. {error}", stacklevel=5)


def _layer(
    group: h5py.Group, layer: Layer, names: Sequence[str], source: str, skip_mismatch: bool
) -> list[tuple[Variable, np.ndarray]]:
    """Return the variables of a layer with their values, or those of them that fit."""
    variables = _in_old_order(layer)
    if len(names) != len(variables):
        raise InvalidFileError.at(
            source,
            group.name,
            f"layer '{layer.name}' has {len(variables)} weights, the file {len(names)}",
        )
    pairs = []
    for variable, name in zip(variables, names, strict=True):
        try:
            pairs.append((variable, hdf5.array_at(group, name, variable.shape, source)))
        except InvalidFileError as error:
            if not skip_mismatch:
                raise
            _warn_skipped(error)
    return pairs


def _restore_optimizer(file: h5py.File, model: CompiledModel, source: str) -> None:
    group = hdf5.group_at(file, "optimizer_weights", source)
    if group is None:
        return
    names = _by_variable(hdf5.strings_of(group, "weight_names", source))
    values = read_state(group, names, model.optimizer, source, model.trainable_weights)
    if values is not None:
        restore_state(model.optimizer, values)


def _by_variable(names: Sequence[str]) -> list[str]:
    """Return the names of slots variable by variable.

    The older optimizers of Keras 2 kept the means of all variables, then the mean squares of all.
    """
    means = [name for name in names if name.endswith("/m:0")]
    squares = [name for name in names if name.endswith("/v:0")]
    if len(means) != len(squares):
        return list(names)
    pairs = [name for pair in zip(means, squares, strict=True) for name in pair]
    others = [name for name in names if name not in pairs]
    return [*others[:1], *pairs, *others[1:]]


def _in_old_order(layer: Layer) -> list[Variable]:
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def _full_names(loss: Any) -> Any:
    """Return the long name of a loss: Keras 3 cannot load its own `.h5` with "mse" or "mae"."""
    if isinstance(loss, list):
        return [_full_names(each) for each in loss]
    if isinstance(loss, str) and loss.lower() not in ("crossentropy", "ce"):
        with contextlib.suppress(ValueError):  # the name of a function of the user's
            return losses.get(loss).name
    return loss


def _write_arrays(group: h5py.Group, named: Sequence[tuple[str, np.ndarray]]) -> None:
    hdf5.write_strings(group, "weight_names", [name for name, _ in named])
    for name, value in named:
        group[name] = value


def _group(parent: h5py.Group, name: str, source: str) -> h5py.Group:
    group = hdf5.group_at(parent, name, source)
    if group is None:
        raise InvalidFileError.at(source, f"{parent.name}/{name}", "it is missing")
    return group


def _old_form(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the config of a layer or model with only name, arguments and calls."""
    own = dict(config["config"])
    if "layers" in own:
        own["layers"] = [_old_form(layer) for layer in own["layers"]]
    form = {"class_name": config["class_name"], "config": own}
    calls = {key: config[key] for key in ("name", "inbound_nodes") if "inbound_nodes" in config}
    return {**form, **calls}
