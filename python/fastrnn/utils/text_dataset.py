"""Text files in folders as a data set, a folder for each class."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fastrnn.arguments import check_integer
from fastrnn.random import make_seed
from fastrnn.utils.batches import Batches

_MODES = ("int", "categorical", "binary", None)


class TextBatches(Batches):
    """The batches of `text_dataset_from_directory`.

    Attributes:
        class_names: Names of the classes, in the order of their numbers; None without labels.
        file_paths: The files, in the order of the first drawing.
    """

    class_names: list[str] | None
    file_paths: list[str]


def text_dataset_from_directory(
    directory: str | os.PathLike[str],
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    max_length: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    verbose: bool = True,
) -> TextBatches:
    """Return the texts of files in batches, with the numbers of their folders as labels.

    Which files are in a subset is as in Keras for the same seed; the order of an epoch is not.

    Args:
        directory: The folder, with a folder of `.txt` files for each class.
        labels: "inferred" for those of the folders; None for none; or a list with one for each
            file, in the order of the sorted paths.
        label_mode: "int" for numbers, "binary" for 0.0 and 1.0 `[batch, 1]`, "categorical" for
            one-hot vectors, None for no labels.
        class_names: The folders, in the order of their numbers; None for all, sorted.
        batch_size: Texts per batch.
        max_length: How many bytes of a text are kept; None for all.
        shuffle: Whether each epoch has an order of its own.
        seed: Seed of the order and of the subset; None to draw one.
        validation_split: Share of the files that are for validation, in (0, 1); None for no split.
        subset: "training", "validation", or "both" for a pair of data sets; with
            `validation_split` only.
        follow_links: Whether to look into folders that are links.
        verbose: Whether to print how many files were found.

    Returns:
        The data set, with `class_names` and `file_paths`. Its elements are arrays of texts as
        bytes, with labels a tuple of two arrays.

    Raises:
        ValueError: If an argument is not valid, or there are no files.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     for name in ("bad", "good"):
        ...         (Path(folder) / name).mkdir()
        ...         _ = (Path(folder) / name / "1.txt").write_text(f"a {name} film")
        ...     data = text_dataset_from_directory(folder, shuffle=False)
        ...     texts, numbers = next(iter(data))
        Found 2 files belonging to 2 classes.
        >>> texts.tolist(), numbers.tolist()
        ([b'a bad film', b'a good film'], [0, 1])
    """
    if label_mode not in _MODES:
        raise ValueError(f"`label_mode` must be one of {_MODES}. Received: {label_mode!r}")
    if batch_size is None:
        raise ValueError("`batch_size` must be an integer. Received: batch_size=None")
    check_integer("batch_size", batch_size, 1)
    split = validation_split is not None
    if split and not 0 < float(validation_split or 0) < 1:
        raise ValueError(f"`validation_split` must be in (0, 1). Received: {validation_split!r}")
    if split != (subset is not None) or subset not in (None, "training", "validation", "both"):
        raise ValueError(
            "`subset` must be 'training', 'validation' or 'both' with `validation_split`, and None "
            f"without. Received: subset={subset!r}, validation_split={validation_split!r}"
        )
    if split and shuffle and seed is None:
        raise ValueError(
            "`seed` must be given with `validation_split` and `shuffle`, so that the subsets do "
            "not overlap. Received: seed=None"
        )
    names, paths, numbers = _files(Path(directory), labels, class_names, follow_links)
    if verbose:
        of_classes = "" if labels is None else f" belonging to {len(names)} classes"
        print(f"Found {len(paths)} files{of_classes}.")
    if label_mode == "binary" and len(names) != 2:
        raise ValueError(f"`label_mode='binary'` needs two classes. Received: {names}")
    first = make_seed() if seed is None else seed
    order = np.arange(len(paths))
    if shuffle:
        np.random.RandomState(first).shuffle(order)
    with_labels = labels is not None and label_mode is not None

    def made(rows: np.ndarray) -> TextBatches:
        files, own = [paths[row] for row in rows], np.asarray(numbers)[rows]
        encoded: Any = _encoded(own, label_mode, len(names)) if with_labels else None
        generator = np.random.default_rng(first)

        def make() -> Iterator[Any]:
            places = generator.permutation(len(files)) if shuffle else np.arange(len(files))
            for start in range(0, len(places), batch_size):
                chosen = places[start : start + batch_size]
                texts = np.empty(len(chosen), dtype=object)
                texts[:] = [Path(files[place]).read_bytes()[:max_length] for place in chosen]
                yield texts if encoded is None else (texts, encoded[chosen])

        data = TextBatches(make, lambda: -(-len(files) // batch_size), batch_size)
        data.class_names = names if labels is not None else None
        data.file_paths = files
        return data

    if not split:
        return made(order)
    held_out = int(float(validation_split or 0) * len(paths))
    if not 0 < held_out < len(paths):
        raise ValueError(
            f"`validation_split` must leave files for both subsets. Received: {validation_split!r} "
            f"for {len(paths)} files"
        )
    training, validation = order[:-held_out], order[-held_out:]
    if verbose:
        rows = len(validation) if subset == "validation" else len(training)
        print(f"Using {rows} files for {'validation' if subset == 'validation' else 'training'}.")
    if subset == "both":
        return made(training), made(validation)  # type: ignore[return-value]
    return made(training if subset == "training" else validation)


def _files(
    directory: Path, labels: Any, class_names: Sequence[str] | None, follow_links: bool
) -> tuple[list[str], list[str], list[int]]:
    """Return the names of the classes, the files, and the number of the class of each."""
    if not directory.is_dir():
        raise ValueError(f"`directory` must be a folder. Received: {str(directory)!r}")
    folders = sorted(each.name for each in directory.iterdir() if each.is_dir())
    names = folders if class_names is None else list(class_names)
    if labels == "inferred" and set(names) != set(folders):
        raise ValueError(
            f"`class_names` must be the folders in `directory`, {folders}. Received: {names}"
        )
    paths: list[str] = []
    numbers: list[int] = []
    inside = [directory / name for name in names] if labels == "inferred" else [directory]
    for number, folder in enumerate(inside):
        for root, _, files in sorted(os.walk(folder, followlinks=follow_links)):
            found = sorted(each for each in files if each.lower().endswith(".txt"))
            paths += [os.path.join(root, each) for each in found]
            numbers += [number] * len(found)
    if not paths:
        raise ValueError(f"`directory` must hold .txt files. Received: {str(directory)!r}")
    if labels is not None and not isinstance(labels, str):
        numbers = [int(each) for each in labels]
        names = [str(each) for each in sorted(set(numbers))] if class_names is None else names
        if len(numbers) != len(paths):
            raise ValueError(
                f"`labels` must have one for each of the {len(paths)} files. "
                f"Received: {len(numbers)}"
            )
    return names, paths, numbers


def _encoded(numbers: np.ndarray, mode: str | None, classes: int) -> np.ndarray:
    if mode == "binary":
        return numbers.astype(np.float32)[:, np.newaxis]
    if mode == "categorical":
        made: np.ndarray = np.eye(classes, dtype=np.float32)[numbers]
        return made
    return np.asarray(numbers.astype(np.int32))
