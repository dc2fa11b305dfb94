"""Text files in folders become batches of texts and labels; subsets are those of Keras."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fastrnn
import pytest
from fastrnn import layers
from fastrnn.utils import text_dataset_from_directory


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("neg", "pos"):
        (tmp_path / name).mkdir()
        for number in range(6):
            (tmp_path / name / f"{number}.txt").write_text(f"{name} film {number}")
    (tmp_path / "pos" / "notes.md").write_text("no text")
    return tmp_path


def pairs(texts: Any, labels: Any) -> Any:
    return zip(texts.tolist(), labels.tolist(), strict=True)


def rows_of(data: Any) -> list[tuple[bytes, Any]]:
    return [row for texts, labels in data for row in pairs(texts, labels)]


def test_texts_and_labels_belong_together(folder: Path, capsys: Any) -> None:
    data = text_dataset_from_directory(folder, batch_size=5, seed=1)
    assert "Found 12 files belonging to 2 classes." in capsys.readouterr().out
    assert data.class_names == ["neg", "pos"]
    assert (len(data), len(data.file_paths)) == (3, 12)
    first, second = rows_of(data), rows_of(data)
    assert sorted(first) == sorted(second)
    assert first != second
    assert len(set(first)) == 12
    assert all(text.startswith(b"pos" if label else b"neg") for text, label in first)


@pytest.mark.parametrize(
    ("mode", "wanted"), [("int", 1), ("binary", [1.0]), ("categorical", [0.0, 1.0])]
)
def test_labels_have_their_form(folder: Path, mode: str, wanted: Any) -> None:
    data = text_dataset_from_directory(folder, label_mode=mode, shuffle=False, max_length=3)
    assert rows_of(data)[-1] == (b"pos", wanted)
    assert [texts.ndim for texts in text_dataset_from_directory(folder, label_mode=None)] == [1]


def test_subsets_share_no_file(folder: Path) -> None:
    given: dict[str, Any] = {"validation_split": 0.25, "seed": 3}
    training, validation = (
        text_dataset_from_directory(folder, subset=subset, **given)
        for subset in ("training", "validation")
    )
    assert len(training.file_paths) == 9
    assert not set(training.file_paths) & set(validation.file_paths)
    both = text_dataset_from_directory(folder, subset="both", **given)
    assert [each.file_paths for each in both] == [training.file_paths, validation.file_paths]


def test_subsets_are_those_of_keras(keras: Any, folder: Path) -> None:
    given: dict[str, Any] = {"validation_split": 0.25, "seed": 3}
    validation = text_dataset_from_directory(folder, subset="validation", **given)
    theirs = keras.utils.text_dataset_from_directory(str(folder), subset="validation", **given)
    found = [text for texts, _ in theirs for text in texts.numpy().tolist()]
    assert sorted(found) == sorted(text for text, _ in rows_of(validation))


def test_a_model_trains_on_them(folder: Path) -> None:
    data = text_dataset_from_directory(folder, batch_size=4, seed=2)
    words = layers.TextVectorization(output_sequence_length=4)
    words.adapt(data.map(lambda texts, labels: texts))
    model = fastrnn.Sequential(
        [layers.Embedding(words.vocabulary_size(), 4), layers.LSTM(4), layers.Dense(1)]
    )
    loss = fastrnn.losses.BinaryCrossentropy(from_logits=True)
    model.compile(fastrnn.optimizers.Adam(0.05), loss)
    numbered = data.map(lambda texts, labels: (words(texts), labels)).cache().prefetch(1)
    losses = model.fit(numbered, epochs=8, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_bad_arguments_are_refused(folder: Path) -> None:
    for arguments, message in (
        ({"label_mode": "float"}, "label_mode"),
        ({"validation_split": 0.5}, "subset"),
        ({"validation_split": 0.5, "subset": "training"}, "seed"),
        ({"validation_split": 2.0, "subset": "both", "seed": 1}, "in \\(0, 1\\)"),
        ({"labels": [1, 2]}, "one for each of the 12 files"),
        ({"class_names": ["a", "b"]}, "folders in `directory`"),
        ({"batch_size": None}, "batch_size"),
    ):
        with pytest.raises(ValueError, match=message):
            text_dataset_from_directory(folder, **arguments)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="must be a folder"):
        text_dataset_from_directory(folder / "none")
    (folder / "empty").mkdir()
    with pytest.raises(ValueError, match=r"must hold \.txt files"):
        text_dataset_from_directory(folder / "empty", labels=None)
