"""The news of Reuters as tokens, from a small file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from fastrnn.datasets import reuters

TEXTS = [[1, 2], [3, 4, 5], [6], [7, 8, 9, 10], [1, 9, 3, 3, 2]]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FASTRNN_DATA", str(tmp_path))
    texts = np.empty(5, dtype=object)
    texts[:] = TEXTS
    np.savez(tmp_path / "reuters.npz", x=texts, y=np.arange(5) * 10)
    (tmp_path / "reuters_word_index.json").write_text(json.dumps({"the": 1, "of": 2}))
    return tmp_path


def test_tokens_and_topics_stay_together() -> None:
    (x_train, y_train), (x_test, y_test) = reuters.load_data(num_words=10)
    assert (len(x_train), len(x_test)) == (4, 1)
    assert [*y_train, *y_test] != [0, 10, 20, 30, 40]
    for x, y in zip([*x_train, *x_test], [*y_train, *y_test], strict=True):
        assert list(x) == [1, *(rank + 3 if rank + 3 < 10 else 2 for rank in TEXTS[y // 10])]


def test_long_texts_are_left_out() -> None:
    (x_train, _), (x_test, _) = reuters.load_data(maxlen=4, test_split=0.5)
    assert sorted(map(len, [*x_train, *x_test])) == [2, 3]
    with pytest.raises(ValueError, match=r"`maxlen` must leave texts\. Received: maxlen=2"):
        reuters.load_data(maxlen=2)


def test_words_and_topics_have_names() -> None:
    assert reuters.get_word_index() == {"the": 1, "of": 2}
    names = reuters.get_label_names()
    assert len(set(names)) == 46
    assert (names[0], names[21], names[45]) == ("cocoa", "gnp", "lead")


def test_what_does_not_fit_is_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"`test_split` must be in \[0, 1\)"):
        reuters.load_data(test_split=1.0)
    np.savez(folder / "reuters.npz", x=np.ones((5, 2)), y=np.arange(5))
    with pytest.raises(ValueError, match="a label for each text"):
        reuters.load_data()
    np.savez(folder / "reuters.npz", x=np.arange(5), y=np.arange(5))
    with pytest.raises(ValueError, match="must be lists of ranks"):
        reuters.load_data()
