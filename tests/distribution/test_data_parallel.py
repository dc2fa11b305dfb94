"""Several processes train what one trains: the same numbers, and the same bits for any number."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastrnn import distribution
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
    assert_close(alone(name, groups), distributed_cases.run(name), rtol=2e-4)


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
