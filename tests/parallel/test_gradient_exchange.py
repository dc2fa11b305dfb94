"""The sum of gradients over ranks: what travels when, and what comes out."""

from __future__ import annotations

import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from fastrnn.parallel import GradientExchange, GradientLayout, Groups, Ranks
from fastrnn.parallel.gradient_sum import add

SHAPES = [(5,), (130, 130), (40, 3), (200, 100), (7, 2)]
STAGES = [[4, 3], [1], [0, 2]]  # two buckets of their own, and the rest
ROWS = 16


class Mail(Ranks):
    """Ranks that are threads of this process; what is sent is copied when it is received."""

    def __init__(self, rank: int, boxes: Any, size: int) -> None:
        self.rank, self.size, self.boxes = rank, size, boxes
        self.sent: list[int] = []

    def swap(self, parts: Sequence[np.ndarray]) -> list[np.ndarray]:
        found = list(parts)
        for other in range(self.size):
            if other != self.rank:
                self.boxes[self.rank, other, "swap"].put(parts[other].copy())
        for other in range(self.size):
            if other != self.rank:
                found[other] = self.boxes[other, self.rank, "swap"].get(timeout=20)
        return found

    def start(self, sends: Any, receives: Any, phase: int) -> Callable[[], bool]:
        for target, vector in sends:
            self.boxes[self.rank, target, phase].put(vector.copy())
            self.sent.append(phase)
        missing = list(receives)

        def is_complete() -> bool:
            while missing:
                source, vector = missing[0]
                try:
                    vector[...] = self.boxes[source, self.rank, phase].get_nowait()
                except queue.Empty:
                    return False
                missing.pop(0)
            return True

        return is_complete

    def wait(self, is_complete: Callable[[], bool], what: str) -> None:
        while not is_complete():
            time.sleep(0.001)


def gradients(group: int, step: int) -> list[np.ndarray]:
    rng = np.random.default_rng([group, step])
    found = [rng.normal(size=shape).astype(np.float32) for shape in SHAPES]
    found[2][rng.random(40) < 0.7] = 0.0
    return found


def total_of_one(groups: int, step: int) -> list[np.ndarray]:
    own = Groups(groups, 1)
    exchange = GradientExchange(GradientLayout(SHAPES, [2], STAGES), own, Ranks())
    exchange.begin(ROWS, lambda: True)
    node = (0, groups)
    found = own.sum_of(node, lambda group: exchange.pack(gradients(group, step)), add)
    assert found is not None
    return exchange.total({node: found})


def run(size: int, groups: int, steps: int = 3) -> tuple[list[list[Any]], list[Mail]]:
    """What each rank gets in each step, and the ranks."""
    boxes: Any = defaultdict(queue.SimpleQueue)
    for source in range(size):  # a defaultdict is not made for threads
        for target in range(size):
            for kind in ("swap", 0, 1):
                boxes[source, target, kind] = queue.SimpleQueue()
    everyone = [Mail(rank, boxes, size) for rank in range(size)]
    results: list[list[Any]] = [[] for _ in everyone]

    def work(ranks: Mail) -> None:
        own = Groups(groups, size)
        layout = GradientLayout(SHAPES, [2], STAGES, size)
        exchange = GradientExchange(layout, own, ranks)
        for step in range(steps):
            exchange.begin(ROWS, lambda: True)

            def leaf(group: int, exchange: Any = exchange, step: int = step) -> Any:
                known: list[Any] = [None] * len(SHAPES)
                for stage, places in enumerate(STAGES):
                    exchange.offer(stage, known)
                    for place in places:
                        known[place] = gradients(group, step)[place]
                return exchange.pack(known)

            sums = {node: own.sum_of(node, leaf, add) for node in own.nodes(ranks.rank, ROWS)}
            results[ranks.rank].append([each.copy() for each in exchange.total(sums)])

    threads = [threading.Thread(target=work, args=(each,), daemon=True) for each in everyone]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return results, everyone


@pytest.mark.parametrize(("size", "groups"), [(2, 2), (3, 3), (2, 8), (3, 8), (5, 5), (3, 2)])
def test_all_ranks_get_the_bits_of_one(size: int, groups: int) -> None:
    results, _ = run(size, groups)
    for of_rank in results:
        assert len(of_rank) == 3
        for step, found in enumerate(of_rank):
            for got, want in zip(found, total_of_one(groups, step), strict=True):
                np.testing.assert_array_equal(np.asarray(got), np.asarray(want))


def sent_before_the_end(groups: int, agreed: bool) -> list[int]:
    """What a rank sends to one other before its lowest layer has gone back."""
    boxes: Any = defaultdict(queue.SimpleQueue)
    ranks = Mail(0, boxes, 2)
    exchange = GradientExchange(GradientLayout(SHAPES, [2], STAGES, 2), Groups(groups, 2), ranks)
    exchange.begin(ROWS, lambda: agreed)
    known: list[Any] = [None] * len(SHAPES)
    lengths = []
    for stage, places in enumerate(STAGES):
        exchange.offer(stage, known)
        lengths.append(len(ranks.sent))
        for place in places:
            known[place] = gradients(0, 0)[place]
    return lengths


def test_upper_layers_travel_while_lower_ones_go_back() -> None:
    assert sent_before_the_end(2, agreed=True) == [0, 1, 2]


def test_nothing_travels_before_all_ranks_are_known_to_have_the_batch() -> None:
    assert sent_before_the_end(2, agreed=False) == [0, 0, 0]


def test_nothing_travels_early_where_a_rank_adds_up_several_groups() -> None:
    assert sent_before_the_end(4, agreed=True) == [0, 0, 0]


def test_what_an_error_left_on_its_way_does_not_reach_the_next_sum() -> None:
    boxes: Any = defaultdict(queue.SimpleQueue)
    ranks = Mail(0, boxes, 2)
    exchange = GradientExchange(GradientLayout(SHAPES, [], STAGES, 2), Groups(2, 2), ranks)
    exchange.begin(ROWS, lambda: True)
    exchange.offer(2, gradients(0, 0))
    moving = exchange._moving[0]
    own = exchange.pack(gradients(0, 0)).dense
    exchange.begin(ROWS, lambda: True)
    exchange.offer(2, gradients(0, 1))
    late = next(part for node, part in moving.known.items() if node == (1, 2))
    assert not np.shares_memory(late, exchange._moving[0].known[1, 2])
    assert not np.shares_memory(own, exchange.pack(gradients(0, 1)).dense)
