"""Several processes train what one trains: the same numbers, and the same bits for any number."""

from __future__ import annotations

import functools
import pickle
from pathlib import Path
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import distribution
from fastrnn.parallel import Job, Ranks
from fastrnn.trainers.data import ArrayFeed, Batch, Epochs, Feed
from fastrnn.trainers.data.iterables import IterableFeed
from fastrnn.trainers.data.ragged import Ragged, RaggedFeed
from support import distributed_cases
from support.distributed_cases import CASES
from support.mpi import needs_mpi, run_ranks

GROUPS = 4


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[int, list[dict[str, Any]]]:
    """What each rank computes, by the number of ranks."""
    results: dict[int, list[dict[str, Any]]] = {}
    for ranks in (2, 3, 4):
        folder = tmp_path_factory.mktemp(f"ranks{ranks}")
        done = run_ranks(ranks, "-m", "support.distributed_cases", str(folder), str(GROUPS))
        assert done.returncode == 0, done.stderr
        files = [Path(folder, f"{rank}.pickle") for rank in range(ranks)]
        results[ranks] = [pickle.loads(file.read_bytes()) for file in files]
    return results


@functools.cache
def whole(name: str) -> dict[str, Any]:
    return distributed_cases.run(name)


@functools.cache
def alone(name: str, groups: int) -> dict[str, Any]:
    with distribution.DataParallel(groups=groups).scope():
        return distributed_cases.run(name)


@needs_mpi
@pytest.mark.parametrize("ranks", [2, 3, 4])
@pytest.mark.parametrize("name", CASES)
def test_any_number_of_ranks_has_the_bits_of_one(found: Any, name: str, ranks: int) -> None:
    want = alone(name, GROUPS)
    for of_rank in found[ranks]:
        assert_same(of_rank[name], want)


@pytest.mark.parametrize("groups", [1, 3, 8])
@pytest.mark.parametrize("name", [name for name in CASES if name != "with_dropout"])
def test_groups_train_what_a_whole_batch_trains(name: str, groups: int) -> None:
    assert_close(alone(name, groups), whole(name), rtol=2e-4)


def shares(feed: Feed, ranks: int, groups: int) -> list[list[Batch]]:
    """The batches of each rank in two passes over a feed."""
    found = []
    for rank in range(ranks):
        own = Ranks()
        own.rank, own.size = rank, ranks
        feed.share = Job(own, groups).share
        fastrnn.utils.set_random_seed(1)
        epochs = Epochs(feed)
        found.append([batch for _ in range(2) for batch in epochs])
    return found


def labels(batch: Batch) -> list[int]:
    assert batch.y is not None
    assert batch.y[0] is not None
    return list(batch.y[0])


def feeds(tokens: np.ndarray, shuffle: bool) -> dict[str, Feed]:
    numbers = np.arange(len(tokens))
    rows = Batch((tokens,), (numbers,))
    cut = [
        Batch((tokens[start : start + 16],), (numbers[start : start + 16],)) for start in (0, 16)
    ]
    lists = [each[each != 0] for each in tokens]
    ragged = Ragged(np.concatenate(lists), np.array([len(each) for each in lists]))
    return {
        "arrays": ArrayFeed(rows, 16, shuffle),
        "batches": IterableFeed(cut, lambda batch: batch),
        "lists": RaggedFeed(ragged, numbers, None, 16),
    }


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("kind", ["arrays", "batches", "lists"])
def test_ranks_get_rows_of_the_same_lengths_together(kind: str, shuffle: bool) -> None:
    rng = np.random.default_rng(0)
    tokens = rng.integers(1, 50, (32, 40)).astype(np.int32)
    lengths = np.sort(rng.integers(1, 41, 32))
    for row, length in zip(tokens, lengths, strict=True):
        row[: 40 - length] = 0
    feed = feeds(tokens, shuffle)[kind]
    for groups in (2, 4):
        both = shares(feed, 2, groups)
        (whole,) = shares(feed, 1, groups)
        for one, other, batch in zip(*both, whole, strict=True):
            counts = []
            for part in (one, other):
                assert part.rows == 16
                given = tokens[labels(part)]
                held = part.x[0] if part.mask is None else part.x[0] * part.mask[0]
                assert (np.count_nonzero(held, axis=1) == np.count_nonzero(given, axis=1)).all()
                counts.append(np.count_nonzero(held))
            assert abs(counts[0] - counts[1]) <= 12
            # A group has the same rows whatever the ranks.
            assert [*labels(one), *labels(other)] == labels(batch)


def leaves(value: Any, place: str = "") -> Any:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from leaves(each, f"{place}/{key}")
    elif isinstance(value, (list, tuple)):
        for number, each in enumerate(value):
            yield from leaves(each, f"{place}/{number}")
    else:
        yield place, np.asarray(value)


def assert_same(got: Any, want: Any) -> None:
    for (place, one), (other_place, other) in zip(leaves(got), leaves(want), strict=True):
        assert place == other_place
        np.testing.assert_array_equal(one, other, err_msg=place)


def assert_close(got: Any, want: Any, rtol: float) -> None:
    for (place, one), (other_place, other) in zip(leaves(got), leaves(want), strict=True):
        assert place == other_place
        np.testing.assert_allclose(one, other, rtol=rtol, atol=2e-6, err_msg=place)
