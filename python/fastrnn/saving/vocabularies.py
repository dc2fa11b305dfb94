"""Vocabularies of layers in a `.keras` archive: text files with one token per line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fastrnn.files.errors import InvalidFileError, error_context
from fastrnn.layers.string_lookup import StringLookup
from fastrnn.layers.text_layer import TextLayer
from fastrnn.saving.archive import ASSETS
from fastrnn.saving.layout import parts_of
from fastrnn.trainers.compiled_model import CompiledModel


def vocabulary_files(model: CompiledModel) -> dict[str, bytes]:
    """Return the content of the vocabularies' files by their names in the archive.

    Args:
        model: The model.
    """
    files = {}
    for name, layer in _text_layers(model):
        if (content := layer.vocabulary_file()) is not None:
            files[name] = content
    return files


def read_vocabularies(model: CompiledModel, files: Mapping[str, bytes], source: str) -> None:
    """Give the layers of a model the vocabularies of an archive.

    Args:
        model: A model that was made of the config in there, with the weights in there.
        files: The files by their names.
        source: Name of the archive, for messages.

    Raises:
        InvalidFileError: If one is missing or does not fit.
    """
    for name, layer in _text_layers(model):
        if layer.has_vocabulary:  # that of the config, or of the layer around it
            continue
        if name in files:
            with error_context(source, name):
                layer.load_vocabulary(files[name])
        elif layer.misses_vocabulary:
            raise InvalidFileError.at(source, name, "the vocabulary of a layer is missing")


def _text_layers(model: CompiledModel) -> Iterator[tuple[str, StringLookup]]:
    """Yield the layers with vocabularies after the names of their files."""
    for part in parts_of(model):
        if isinstance(part.layer, TextLayer):
            yield f"{ASSETS}/{part.path}/vocabulary.txt", part.layer.lookup
