"""Keras 3's `.weights.h5`, which is also the weights in a `.keras` archive."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fastrnn.files import hdf5
from fastrnn.files.errors import InvalidFileError
from fastrnn.layers.string_lookup import StringLookup
from fastrnn.layers.text_layer import TextLayer
from fastrnn.saving.layout import parts_of
from fastrnn.saving.optimizer_state import read_state, restore_state, state_of
from fastrnn.trainers.compiled_model import CompiledModel
from fastrnn.variable import Variable

if TYPE_CHECKING:
    import h5py

# Keras 2.12 and 2.13 wrote the new archive under this name for `layers`.
_OLD_LAYERS = "_layer_checkpoint_dependencies"

# What layers of text call the weights of their tokens.
_IDF = "idf_weights"


class Loaded(NamedTuple):
    """Values for a model that were read from a file and checked, but are not set yet.

    Attributes:
        weights: Variables and their new values.
        optimizer: New values of the optimizer's state; None to keep the present ones.
        idf_weights: Layers with a vocabulary and the new weights of its tokens.
    """

    weights: list[tuple[Variable, np.ndarray]]
    optimizer: list[np.ndarray] | None = None
    idf_weights: Sequence[tuple[StringLookup, np.ndarray]] = ()

    def apply(self, model: CompiledModel) -> None:
        """Set the values in the model; all checks were made before."""
        for variable, value in self.weights:
            variable.assign(value)
        for layer, value in self.idf_weights:
            layer.idf_weights = value
        if self.optimizer is not None:
            restore_state(model.optimizer, self.optimizer)


def weights_bytes(model: CompiledModel) -> bytes:
    """Return the bytes of the `.weights.h5` of a model."""
    with hdf5.writing() as (file, content):
        for part in parts_of(model):
            group = file.require_group(f"{part.path}/vars")
            group.attrs["name"] = part.name
            for number, variable in enumerate(part.variables):
                group[str(number)] = variable.value
            if isinstance(part.layer, TextLayer) and part.layer.lookup.idf_weights is not None:
                group[_IDF] = part.layer.lookup.idf_weights
        if model.compiled:
            group = file.require_group("optimizer/vars")
            group.attrs["name"] = model.optimizer.name
            for number, (_, value) in enumerate(state_of(model.optimizer)):
                group[str(number)] = value
    return content[0]


def read_weights(
    file: h5py.File,
    model: CompiledModel,
    source: str,
    skip_mismatch: bool = False,
    build_optimizer: bool = False,
) -> Loaded:
    """Return what a `.weights.h5` holds for a model that is built.

    Args:
        file: The opened file.
        model: The model, which stays as it is.
        source: Name of the file, for messages.
        skip_mismatch: Whether to warn about parts that do not fit, and leave them out.
        build_optimizer: Whether to build the optimizer, if the file has slots for it.

    Raises:
        InvalidFileError: If a part is missing, or has other shapes, or the file has more layers.
    """
    weights: list[tuple[Variable, np.ndarray]] = []
    idf_weights: list[tuple[StringLookup, np.ndarray]] = []
    expected = set()
    old = "layers" not in file and _OLD_LAYERS in file
    for part in parts_of(model):
        path = f"{part.path}/vars".lstrip("/")
        path = path.replace("layers/", f"{_OLD_LAYERS}/") if old else path
        expected.add(path)
        try:
            if isinstance(part.layer, TextLayer):
                idf_weights += _idf_weights(file, path, part.layer.lookup, source)
            else:
                weights += _part(file, path, part.variables, source)
        except InvalidFileError as error:
            if not skip_mismatch:
                raise
            warnings.warn(f"Weights were skipped. {error}", stacklevel=4)
    if not skip_mismatch:
        _refuse_others(file, expected, source)
    optimizer = _optimizer(file, model, source, build_optimizer)
    return Loaded(weights, optimizer, idf_weights)


def _part(
    file: h5py.File, path: str, variables: list[Variable], source: str
) -> list[tuple[Variable, np.ndarray]]:
    group = hdf5.group_at(file, path, source)
    found = 0 if group is None else len(group)
    if found != len(variables):
        raise InvalidFileError.at(
            source, path, f"it must hold {len(variables)} arrays, those of the model. Found {found}"
        )
    if group is None:
        return []
    return [
        (variable, hdf5.array_at(group, str(number), variable.shape, source))
        for number, variable in enumerate(variables)
    ]


def _idf_weights(
    file: h5py.File, path: str, layer: StringLookup, source: str
) -> list[tuple[StringLookup, np.ndarray]]:
    """Return the weights of a layer's tokens, if it has some and the file too."""
    group = hdf5.group_at(file, path, source)
    shape = layer.shape_of_idf_weights
    if group is None or _IDF not in group or shape is None:
        return []
    return [(layer, hdf5.array_at(group, _IDF, shape, source))]


def _refuse_others(file: h5py.File, expected: set[str], source: str) -> None:
    """Refuse layers that the model does not have."""
    pending = ["layers", _OLD_LAYERS]
    while pending:
        path = pending.pop()
        group = hdf5.group_at(file, path, source)
        for name in group if group is not None else ():
            inner = f"{path}/{name}"
            if "generator" in name:  # the state of random numbers of a dropout
                continue
            child = hdf5.group_at(file, inner, source)
            if name != "vars":
                pending.append(inner)
            elif inner not in expected and child is not None and len(child):
                raise InvalidFileError.at(source, inner, "the model has no such layer")


def _optimizer(
    file: h5py.File, model: CompiledModel, source: str, build: bool
) -> list[np.ndarray] | None:
    """Return the state of the optimizer, if the file has one of the same form."""
    group = hdf5.group_at(file, "optimizer/vars", source) if model.compiled else None
    if group is None:
        return None
    names = [str(number) for number in range(len(group))]
    variables = model.trainable_weights if build else None
    return read_state(group, names, model.optimizer, source, variables)
