"""What the chart's title says of the reviews fits into it, whatever went wrong."""

from __future__ import annotations

from typing import Any

import pytest
from comparison import data
from comparison.workloads import ReviewData
from fastrnn.datasets import imdb

PROBLEMS = (
    OSError("Cannot download https://example.org/a/long/path/imdb.npz to /home/some/where: " * 3),
    ValueError("two\nlines"),
    OSError(),
)


@pytest.mark.parametrize("problem", PROBLEMS)
def test_an_error_is_printed_and_not_part_of_the_title(
    monkeypatch: Any, capsys: Any, problem: Exception
) -> None:
    def fail(**kwargs: Any) -> None:
        raise problem

    monkeypatch.setattr(imdb, "load_data", fail)
    arrays = data.load(ReviewData(vocabulary=500, steps=20), "auto", train=8, test=4)
    assert arrays.source == "generated reviews (IMDB not found; see --help)"
    assert str(problem) in capsys.readouterr().err
    with pytest.raises(type(problem)):
        data.load(ReviewData(vocabulary=500, steps=20), "imdb", train=8, test=4)


def test_reviews_that_are_to_be_generated_are_no_problem(capsys: Any) -> None:
    arrays = data.load(ReviewData(vocabulary=500, steps=20), "generated", train=8, test=4)
    assert arrays.source == "generated reviews (as --data asks)"
    assert not capsys.readouterr().err
