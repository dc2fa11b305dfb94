"""Saving and loading in the format that the extension of a file names, as in Keras."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from typing import Any

from fastrnn.arguments import refuse_unknown
from fastrnn.files import hdf5
from fastrnn.files.atomic import replace_file
from fastrnn.layers.first_values import zeros_within
from fastrnn.saving import legacy_h5, weights_file
from fastrnn.saving.archive import WEIGHTS, archive_bytes, read_archive
from fastrnn.saving.model_config import model_config, model_from_config
from fastrnn.saving.vocabularies import read_vocabularies, vocabulary_files
from fastrnn.trainers.compiled_model import CompiledModel
from fastrnn.utils.custom_objects import custom_object_scope

PathLike = str | os.PathLike[str]

_EXTENSIONS = ".keras, .h5 or .hdf5"
# Limit of the memory for the weights that a file's config asks for: a fixed part, and a multiple of
# the file's size. Only weights that were stored compressed need more memory than disk space.
_FLOOR, _EXPANSION = 1 << 26, 100


def save_model(
    model: CompiledModel,
    filepath: PathLike,
    overwrite: bool = True,
    zipped: bool | None = None,
    **kwargs: Any,
) -> None:
    """Save layers, weights, compile settings and the state of the optimizer.

    The file is that of Keras 3.15, which can load it and go on with it. It is written in one step:
    if saving is interrupted, the file that was there before stays as it was.

    Args:
        model: The model.
        filepath: Name of the file. `.keras` is the format of Keras 3, `.h5` or `.hdf5` that of
            Keras 2.
        overwrite: Whether to replace a file that is there without asking at the terminal.
        zipped: Only True, the default.
        **kwargs: `include_optimizer=False` leaves compile settings and optimizer out of `.h5`;
            `save_format` is accepted from older scripts and has no effect.

    Raises:
        ValueError: If the extension of the name, or an argument, is not supported.
        OSError: If the file cannot be written.

    Example:
        >>> import tempfile, fastrnn
        >>> from fastrnn import layers
        >>> model = fastrnn.Sequential([layers.Input((5, 2)), layers.GRU(3)])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.save(f"{folder}/gru.keras")
        ...     fastrnn.models.load_model(f"{folder}/gru.keras").count_params()
        63
    """
    include_optimizer = kwargs.pop("include_optimizer", True)
    kwargs.pop("save_format", None)
    refuse_unknown("save", kwargs, ["overwrite", "zipped", "include_optimizer"])
    if zipped not in (None, True):
        raise ValueError(f"`zipped=False`, a folder, is not supported. Received: zipped={zipped!r}")
    name = _name(filepath)
    if not name.endswith((".keras", ".h5", ".hdf5")):
        raise ValueError(f"`filepath` must end in {_EXTENSIONS}. Received: filepath={name!r}")
    if model.is_own_call and not name.endswith(".keras"):
        raise ValueError(
            "`filepath` must end in .keras for a model with a `call` of its own: the files of "
            f"Keras 2 hold graphs of layers. Received: filepath={name!r}"
        )
    if not _may_write(name, overwrite):
        return
    if name.endswith(".keras"):
        weights = weights_file.weights_bytes(model)
        data = archive_bytes(model_config(model), weights, vocabulary_files(model))
    else:
        data = legacy_h5.model_bytes(model, include_optimizer)
        os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
    replace_file(name, data)


def load_model(
    filepath: PathLike,
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Any:
    """Load a model that `model.save` of fastrnn or of Keras 2 or 3 wrote.

    Loading runs nothing that a file holds: there is no pickle in it, a `Lambda` layer is refused,
    and nothing is imported by a name from the file.

    Args:
        filepath: Name of a `.keras`, `.h5` or `.hdf5` file.
        custom_objects: Classes and functions of your own that the file names.
        compile: Whether to compile the model as it was, with the state of its optimizer.
        safe_mode: Accepted for Keras's sake; False changes nothing.

    Returns:
        The model.

    Raises:
        ValueError: If the file is damaged or of another kind, or holds what is not supported; the
            message names the file and the place in it.
        OSError: If there is no such file.

    Example:
        >>> load_model("imdb.keras")  # doctest: +SKIP
    """
    name = _name(filepath)
    if not name.endswith((".keras", ".h5", ".hdf5")) or name.endswith(".weights.h5"):
        raise ValueError(
            f"`filepath` must end in {_EXTENSIONS}; `model.load_weights` loads .weights.h5. "
            f"Received: filepath={name!r}"
        )
    with open(name, "rb") as file, custom_object_scope(custom_objects):
        room = _FLOOR + _EXPANSION * os.fstat(file.fileno()).st_size
        if name.endswith(".keras"):
            config, weights, assets = read_archive(file, name)
            with zeros_within(room):
                model = model_from_config(config, name, "config.json", compile)
            source = f"{name}:{WEIGHTS}"
            with hdf5.reading(io.BytesIO(weights), source) as opened:
                found = weights_file.read_weights(opened, model, source, build_optimizer=True)
            found.apply(model)
            read_vocabularies(model, assets, name)
            return model
        with hdf5.reading(file, name) as opened, zeros_within(room):
            return legacy_h5.read_model(opened, name, compile)


def save_weights(model: CompiledModel, filepath: PathLike, overwrite: bool = True) -> None:
    """Save the weights, and the state of the optimizer, in Keras 3's `.weights.h5`.

    Args:
        model: The model, built.
        filepath: Name of the file, which must end in `.weights.h5`.
        overwrite: Whether to replace a file that is there without asking at the terminal.

    Raises:
        ValueError: If the model is not built, or the extension of the name is not supported.
        OSError: If the file cannot be written.

    Example:
        >>> import tempfile, fastrnn
        >>> from fastrnn import layers
        >>> model = fastrnn.Sequential([layers.Input((5, 2)), layers.GRU(3)])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_weights(model, f"{folder}/gru.weights.h5")
        ...     load_weights(model, f"{folder}/gru.weights.h5")
    """
    _check_built(model, "save_weights")
    name = _name(filepath)
    if not name.endswith(".weights.h5"):
        raise ValueError(f"`filepath` must end in .weights.h5. Received: filepath={name!r}")
    if _may_write(name, overwrite):
        replace_file(name, weights_file.weights_bytes(model))


def load_weights(
    model: CompiledModel,
    filepath: PathLike,
    skip_mismatch: bool = False,
    by_name: bool = False,
) -> None:
    """Load weights into a model that is built.

    Args:
        model: The model.
        filepath: Name of a `.weights.h5`, `.keras`, `.h5` or `.hdf5` file of fastrnn or Keras.
        skip_mismatch: Whether to warn about layers that do not fit, and leave them as they are.
        by_name: Only for `.h5` and `.hdf5`: whether a layer takes the weights of the layer of its
            name, if there is one; else all layers take them in their order.

    Raises:
        ValueError: If the model is not built, or the file is damaged or does not fit. The model
            then stays as it was.
        OSError: If there is no such file.

    Example:
        >>> import tempfile, fastrnn
        >>> from fastrnn import layers
        >>> first, second = (
        ...     fastrnn.Sequential([layers.Input((5, 2)), layers.GRU(3)]) for _ in range(2)
        ... )
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_weights(first, f"{folder}/gru.weights.h5")
        ...     load_weights(second, f"{folder}/gru.weights.h5")
        >>> bool((first([[[1.0, 2.0]]]) == second([[[1.0, 2.0]]])).all())
        True
    """
    _check_built(model, "load_weights")
    name = _name(filepath)
    if not name.endswith((".keras", ".h5", ".hdf5")):
        raise ValueError(
            f"`filepath` must end in .weights.h5, {_EXTENSIONS}. Received: filepath={name!r}"
        )
    old = name.endswith((".h5", ".hdf5")) and not name.endswith(".weights.h5")
    if by_name and not old:
        raise ValueError(f"`by_name` needs an .h5 or .hdf5 file. Received: filepath={name!r}")
    with open(name, "rb") as file:
        source = name
        if name.endswith(".keras"):
            _, weights, _ = read_archive(file, name)
            source = f"{name}:{WEIGHTS}"
            stream: Any = io.BytesIO(weights)
        else:
            stream = file
        with hdf5.reading(stream, source) as opened:
            if old:
                found = legacy_h5.read_weights(opened, model, source, by_name, skip_mismatch)
            else:
                found = weights_file.read_weights(opened, model, source, skip_mismatch)
    found.apply(model)


def _check_built(model: CompiledModel, method: str) -> None:
    if not model.built:
        raise ValueError(
            f"`{method}` needs a model that is built, by data, by an Input or by "
            f"`build(input_shape)`. Received: model '{model.name}', which is not"
        )


def _name(filepath: PathLike) -> str:
    if not isinstance(filepath, (str, os.PathLike)):
        raise TypeError(f"`filepath` must be a path. Received: filepath={filepath!r}")
    return os.fspath(filepath)


def _may_write(name: str, overwrite: bool) -> bool:
    """Return whether a name is free or may be written over, which the terminal is asked."""
    if overwrite or not os.path.exists(name):
        return True
    question = f"[WARNING] {name} already exists - overwrite? [y/n]"
    try:
        answer = input(question).strip().lower()
        while answer not in ("y", "n"):
            answer = input('Enter "y" (overwrite) or "n" (cancel).').strip().lower()
    except EOFError:
        raise FileExistsError(
            f"`filepath` must be free with `overwrite=False`, where nobody can be asked. "
            f"Received: filepath={name!r}"
        ) from None
    return answer == "y"
