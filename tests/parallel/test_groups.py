"""Row groups, the tree in which their sums are added, and sums of gradients."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from fastrnn.layers import Dropout
from fastrnn.parallel import GradientLayout, GradientSum, Groups, table_message
from fastrnn.parallel.gradient_sum import Rows, add, add_tables
from fastrnn.table_gradient import table_gradient
from fastrnn.trainers.group_generators import GroupGenerators

SIZES = [(1, 1), (1, 3), (4, 1), (4, 3), (8, 2), (8, 5), (7, 3), (3, 8), (16, 16)]


@pytest.mark.parametrize("rows", [1, 3, 8, 9, 64])
@pytest.mark.parametrize(("number", "ranks"), SIZES)
def test_each_row_has_one_group_and_each_group_one_rank(number: int, ranks: int, rows: int) -> None:
    groups = Groups(number, ranks)
    parts = [groups.rows(group, rows) for group in range(number)]
    assert [row for part in parts for row in range(rows)[part]] == list(range(rows))
    sizes = [part.stop - part.start for part in parts]
    assert max(sizes) - min(sizes) <= 1
    assert sizes[0] >= 1  # rank 0 always has rows
    assert [group for rank in range(ranks) for group in groups.of_rank(rank)] == list(range(number))
    for rank in range(ranks):
        own = [row for group in groups.of_rank(rank) for row in range(rows)[parts[group]]]
        assert list(range(rows)[groups.share(rank, rows)]) == own
        assert groups.filled(rank, rows) == [g for g in groups.of_rank(rank) if sizes[g]]


@pytest.mark.parametrize("rows", [1, 3, 8, 64])
@pytest.mark.parametrize(("number", "ranks"), SIZES)
def test_the_total_is_that_of_one_tree_for_any_number_of_ranks(
    number: int, ranks: int, rows: int
) -> None:
    """The sums are strings, so that each tells in which order it was made."""

    def leaf_of(groups: Groups, rank: int) -> object:
        return lambda group: f"{group}" if group in groups.filled(rank, rows) else None

    def joined(left: str, right: str) -> str:
        return f"({left} {right})"

    one = Groups(number, 1)
    want = one.sum_of((0, number), leaf_of(one, 0), joined)  # type: ignore[arg-type]
    groups = Groups(number, ranks)
    sums = {
        node: groups.sum_of(node, leaf_of(groups, rank), joined)  # type: ignore[arg-type]
        for rank in range(ranks)
        for node in groups.nodes(rank, rows)
    }
    assert None not in sums.values()
    assert groups.total(sums, joined) == want


@pytest.mark.parametrize("rows", [1, 3, 9, 64])
@pytest.mark.parametrize(("number", "ranks"), SIZES)
def test_rows_are_dealt_so_that_groups_have_the_same_work(
    number: int, ranks: int, rows: int
) -> None:
    work = np.random.default_rng(rows).integers(1, 300, rows)
    order = Groups(number, ranks).balanced(work)
    if number == 1 or rows == 1:
        assert order is None
        return
    assert order is not None
    assert sorted(order) == list(range(rows))
    assert order.tolist() == Groups(number, 1).balanced(work).tolist()  # type: ignore[union-attr]
    parts = [order[Groups(number, ranks).rows(group, rows)] for group in range(number)]
    assert all(part.tolist() == sorted(part) for part in parts)
    if rows == 64 and rows % number == 0:
        totals = [work[part].sum() for part in parts]
        assert max(totals) < 1.05 * min(totals)
        plain = [work[Groups(number, 1).rows(group, rows)].sum() for group in range(number)]
        assert max(totals) < max(plain)


def test_rows_of_like_work_stay_where_they_are() -> None:
    assert Groups(4, 2).balanced(np.full(9, 7)) is None


def gradients(seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    tokens = rng.integers(0, 50, 9)
    table = np.zeros((50, 3), np.float32)
    table[tokens] = rng.normal(size=(9, 3))
    dense = rng.normal(size=(4, 5)).astype(np.float32), rng.normal(size=7).astype(np.float32)
    return [dense[0], table_gradient(table, tokens), dense[1]]


@pytest.mark.parametrize("ranks", [1, 2, 5])
def test_tables_travel_in_parts_and_come_back(ranks: int) -> None:
    layout = GradientLayout([(4, 5), (50, 3), (7,)], [1], ranks=ranks)
    one, other = (layout.pack(gradients(seed)) for seed in (1, 2))
    parts = []
    for rank in range(ranks):
        own = [layout.part(each.tables, rank) for each in (one, other)]
        read = table_message.parsed(table_message.message(own), [3], 2)
        parts.append(add_tables(*read))
    assert sum(len(part[0].keys) for part in parts) == len(
        add_tables(one.tables, other.tables)[0].keys
    )
    total = GradientSum(one.dense + other.dense, table_message.joined(parts))
    layout.unpack(layout.pack(gradients(7)))  # leaves nothing behind
    found = layout.unpack(total)
    for got, left, right in zip(found, gradients(1), gradients(2), strict=True):
        np.testing.assert_array_equal(got, np.asarray(left) + np.asarray(right))
    assert found[1].tokens is not None  # type: ignore[attr-defined]


def test_buckets_stand_in_the_order_of_the_backward_pass() -> None:
    shapes = [(200, 200), (30, 2), (3,), (150, 150), (5,)]
    layout = GradientLayout(shapes, [1], [[4], [3, 2], [], [0, 1]])
    assert [(each.places, each.stage) for each in layout.buckets] == [([4, 3, 2], 1), ([0], 3)]
    assert [(each.begin, each.end) for each in layout.buckets] == [(0, 22508), (22508, 62508)]
    rng = np.random.default_rng(0)
    given = [rng.normal(size=shape).astype(np.float32) for shape in shapes]
    found = layout.unpack(layout.pack(given))
    for got, want in zip(found, given, strict=True):
        np.testing.assert_array_equal(got, want)


def test_a_table_without_known_tokens_travels_by_its_rows() -> None:
    layout = GradientLayout([(50, 3)], [0])
    table = np.asarray(gradients(3)[1])
    packed = layout.pack([table])
    assert len(packed.tables[0].keys) <= 9
    np.testing.assert_array_equal(layout.unpack(packed)[0], table)


def test_sums_of_rows_keep_rows_of_both() -> None:
    def rows(places: list[int]) -> GradientSum:
        values = np.array(places, np.float32)[:, np.newaxis] + 0.5
        return GradientSum(np.zeros(0, np.float32), [Rows(np.array(places, np.int32), values)])

    (found,) = add(rows([1, 4]), rows([0, 4, 9])).tables
    assert found.keys.tolist() == [0, 1, 4, 9]
    assert found.values.ravel().tolist() == [0.5, 1.5, 9.0, 9.5]


def test_each_group_and_each_step_draws_its_own_numbers() -> None:
    x = np.ones((4, 50), np.float32)

    def masks() -> list[list[bytes]]:
        layer = Dropout(0.5, seed=3)
        generators = GroupGenerators([layer])
        found = []
        for _ in range(2):
            with generators.step():
                drawn = []
                for group in (0, 1):
                    generators.begin(group)
                    drawn.append(layer.forward(x, True)[0].tobytes())
                found.append(drawn)
        return found

    first, second = masks()
    assert len({*first, *second}) == 4
    assert masks() == [first, second]


def test_a_step_leaves_a_layer_the_generator_that_it_had() -> None:
    layer = Dropout(0.5, seed=3)
    own = layer._generator
    generators = GroupGenerators([layer])
    with contextlib.suppress(KeyError), generators.step():
        generators.begin(1)
        assert layer._generator is not own
        raise KeyError
    assert layer._generator is own
