"""A step of training or testing that several processes take together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from fastrnn.graph import Plan
from fastrnn.layers import Embedding
from fastrnn.layers.layer import Layer
from fastrnn.metrics import Mean, Metric
from fastrnn.optimizers import Optimizer
from fastrnn.parallel import GradientExchange, GradientLayout, GradientSum, Job, Shared
from fastrnn.parallel.gradient_sum import add
from fastrnn.trainers.data import Batch
from fastrnn.trainers.group_generators import GroupGenerators
from fastrnn.trainers.group_records import (
    Record,
    added,
    factors_of,
    is_summed,
    set_sums,
    sums_of,
)
from fastrnn.trainers.output_part import OutputPart, update_each
from fastrnn.trainers.train_step import Means, TrainStep, without_padding
from fastrnn.variable import Variable

_RECORDS_AT_ONCE = 2_000  # of all ranks, before they are added up


class _Passed(NamedTuple):
    """What `forward` made of a group.

    Attributes:
        rows: Its share of the rows of the batch.
        caches: Those of the executor.
        d_outputs: Gradient of its own loss with respect to each output.
        divisors: By how much it counts in the loss of the batch, for each output with a loss.
        counts_rows: Whether that is its number of rows, as for every other group.
    """

    rows: float
    caches: list[Any]
    d_outputs: list[np.ndarray | None]
    divisors: list[float]
    counts_rows: bool


class DistributedStep(TrainStep):
    """A `TrainStep` on the row groups of this rank.

    Each group goes forward and back alone. Its gradient is that of the loss of the whole batch,
    since the groups' weights in it are exchanged in between. The gradients of all groups are added
    in a fixed tree, so that their sum, and with it the weights, have the same bits for any number
    of ranks. So do losses and metrics: what groups add to them is summed in the groups' order.

    Args:
        job: The ranks and the groups.
        layers: All layers, those inside of others too.
        plan: As in `TrainStep`, and so the others.
        parts: What to do with each output.
        optimizer: What updates the weights.
        trained: The weights that are updated.

    Attributes:
        pending: Returns the number of a signal that waits for the end of the step, or 0.
        signal: The number of the signal that some rank got in the last step, or 0.

    Raises:
        ValueError: If a layer of the model needs the rows of the batch together.
    """

    def __init__(
        self,
        job: Job,
        layers: Sequence[Layer],
        plan: Plan,
        parts: Sequence[OutputPart],
        optimizer: Optimizer,
        trained: Sequence[Variable],
    ) -> None:
        if job.groups.number > 1:
            _refuse_stateful(layers)
        self._job = job
        self._records: list[list[Record]] = []  # of each batch, and in it of each own group
        self._batches: list[tuple[int, float]] = []  # rows of each, and penalty of the weights
        self._summed: list[Metric] = []
        super().__init__(plan, parts, optimizer, trained)
        self._generators = GroupGenerators(layers)
        tables = {id(each.weights[0]) for each in layers if isinstance(each, Embedding)}
        variables = self._executor.variables
        places = [place for place, variable in enumerate(variables) if id(variable) in tables]
        layout = GradientLayout(
            [variable.shape for variable in variables],
            places,
            self._executor.stages,
            job.ranks.size,
        )
        self._exchange = GradientExchange(layout, job.groups, job.ranks)
        # An optimizer of a user's own may keep or change the gradients that it gets.
        self._hands_copies = not type(optimizer).__module__.startswith("fastrnn.optimizers.")
        self._with_loss = [part for part in self._parts if part.loss is not None]
        self._is_sum = [getattr(part.loss, "reduction", None) == "sum" for part in self._with_loss]
        # What layers add to the loss is a mean over the rows that they see.
        self._scales = any(each.regularizes_activity or each.is_own_call for each in layers)
        # Metrics of which only the whole batch is known to give the result, for each output.
        self._whole = [part.take_updates(_needs_whole_batch) for part in self._parts]
        self._summed = [metric for metric in self.metrics if not _needs_whole_batch(metric)]
        self._sums: list[list[Any] | None] = [None] * len(self._summed)
        self.pending: Callable[[], int] = lambda: 0
        self.signal = 0

    # ---------------------------------------------------------------------------- train and test

    def train(self, batch: Batch) -> None:
        """Take one step of the optimizer on a batch, of which each rank has its rows."""
        rows = _rows(batch)
        parts = dict(self._groups_of(batch, rows))
        passed: dict[int, _Passed] = {}
        records: list[Record] = []
        seen: list[list[Any]] = []

        def forward(group: int) -> _Passed:
            part = parts[group]
            self._generators.begin(group)
            outputs, masks, caches, penalty = self._executor.forward(part.x, part.mask)
            means, d_outputs = self._losses(part, outputs, masks)
            share = len(part.x[0]) / rows
            divisors = self._divisors(part, outputs, masks)
            records.append(self._record(means, divisors, penalty * share, part, outputs, masks))
            seen.append(self._seen(part, outputs, masks))
            counts_rows = all(
                each.counts_rows(y, weight, mask)
                for each, y, _, weight, mask in self._by_output(part, outputs, masks)
                if each.loss is not None
            )
            return _Passed(share, caches, d_outputs, divisors, counts_rows)

        with self._generators.step():
            # Where all groups count by their rows, each goes forward and back at once. Else all go
            # forward first, and the ranks wait for each other.
            for group in parts:
                passed[group] = forward(group)
                if all(each.counts_rows for each in passed.values()):
                    break
            agreed = _Agreement(self, rows, passed)
            by_rows = all(each.counts_rows for each in passed.values())
            factors = self._factors_by_rows(rows) if by_rows else agreed.factors()
            self._exchange.begin(rows, agreed.is_complete)
            before_step = None if self._scales else self._exchange.offer

            def gradient(group: int) -> GradientSum | None:
                if group not in parts:
                    return None
                own = passed.pop(group, None) or forward(group)
                scale = np.float32(own.rows if self._scales else 1.0)
                d_outputs = list(own.d_outputs)
                for place, factor in zip(self._loss_places(), factors[group], strict=True):
                    d_y: Any = d_outputs[place]
                    d_outputs[place] = d_y * np.float32(factor / float(scale))
                _, gradients = self._executor.backward(
                    own.caches, d_outputs, consume=True, before_step=before_step
                )
                if self._scales:
                    gradients = [each * scale for each in gradients]
                return self._exchange.pack(gradients)

            groups, ranks = self._job.groups, self._job.ranks
            sums: dict[tuple[int, int], GradientSum] = {}
            for node in groups.nodes(ranks.rank, rows):
                if (found := groups.sum_of(node, gradient, add)) is not None:
                    sums[node] = found
        agreed.factors()  # all ranks have this batch
        gradients = self._exchange.total(sums)
        if self._hands_copies:
            gradients = [each.copy() for each in gradients]
        self._keep(rows, records, seen, self._update(gradients))

    def end_epoch(self) -> None:
        """Find out whether other ranks have further batches.

        Raises:
            ValueError: On all ranks, if one has.
        """
        _Agreement(self, 0, {}).factors()

    def test(self, batch: Batch) -> None:
        """Take a batch into the means without changing the model."""
        rows = _rows(batch)
        records: list[Record] = []
        seen: list[list[Any]] = []
        for _, part in self._groups_of(batch, rows):
            outputs, masks, _, penalty = self._executor.infer(part.x, part.mask)
            means = self._means(part, outputs, masks)
            divisors = self._divisors(part, outputs, masks)
            penalty *= len(part.x[0]) / rows
            records.append(self._record(means, divisors, penalty, part, outputs, masks))
            seen.append(self._seen(part, outputs, masks))
        self._keep(rows, records, seen, self._weight_penalty())

    def _groups_of(self, batch: Batch, rows: int) -> Iterator[tuple[int, Batch]]:
        """Yield the groups of this rank that have rows, and their rows."""
        groups, rank = self._job.groups, self._job.ranks.rank
        start = groups.share(rank, rows).start if batch.rows is not None else 0
        for group in groups.filled(rank, rows):
            part = groups.rows(group, rows)
            yield group, batch.part(slice(part.start - start, part.stop - start))

    def _loss_places(self) -> list[int]:
        return [number for number, part in enumerate(self._parts) if part.loss is not None]

    def _divisors(
        self,
        batch: Batch,
        outputs: Sequence[np.ndarray],
        masks: Sequence[np.ndarray | None],
    ) -> list[float]:
        return [
            part.divisor(*each)
            for part, *each in self._by_output(batch, outputs, masks)
            if part.loss is not None
        ]

    def _factors_by_rows(self, rows: int) -> np.ndarray:
        """Return the factors of all groups where each counts by its rows, `[groups, outputs]`."""
        groups = self._job.groups
        parts = [groups.rows(group, rows) for group in range(groups.number)]
        divisors = np.array([float(part.stop - part.start) for part in parts])
        return factors_of(np.tile(divisors[:, np.newaxis], len(self._is_sum)), self._is_sum)

    # -------------------------------------------------------------------------- loss and metrics

    def reset(self) -> None:
        """Reset the means of loss and metrics."""
        super().reset()
        self._records, self._batches = [], []
        self._sums = [None] * len(self._summed)

    def _record(
        self,
        means: Sequence[Means],
        divisors: list[float],
        penalty: float,
        batch: Batch,
        outputs: Sequence[np.ndarray],
        masks: Sequence[np.ndarray | None],
    ) -> Record:
        """Return what a group adds to the means."""
        for metric in self._summed:
            metric.reset_state()
        self._update_metrics(means, batch, outputs, masks)
        losses = [each[0] for each in means if each is not None]
        samples = len(batch.x[0])
        if batch.mask is not None and masks[0] is not None:
            samples = self._steps_counted(batch, masks[0])
        return Record(samples, penalty, losses, divisors, [sums_of(each) for each in self._summed])

    def _seen(
        self,
        batch: Batch,
        outputs: Sequence[np.ndarray],
        masks: Sequence[np.ndarray | None],
    ) -> list[Any]:
        """Return of each output what the metrics see that need the whole batch, or None."""
        found: list[Any] = []
        for updates, (part, *each) in zip(
            self._whole, self._by_output(batch, outputs, masks), strict=True
        ):
            y, y_pred, weight, mask = each
            if not updates:
                found.append(None)
                continue
            if batch.mask is not None and mask is not None:
                y, y_pred, weight = without_padding(y, y_pred, weight, mask)
                mask = None
            activation = part.activation or np.asarray
            found.append((y, activation(y_pred), weight, mask))
        return found

    def _update_whole(self, seen: list[list[Any]]) -> None:
        """Add the outputs of all ranks to the metrics that need the whole batch."""
        groups = [
            group
            for of_rank in self._job.ranks.gather(seen, "outputs for metrics")
            for group in of_rank
        ]
        for updates, *parts in zip(self._whole, *groups, strict=True):
            if updates:
                whole: list[Any] = [
                    None if arrays[0] is None else np.concatenate(arrays)
                    for arrays in zip(*parts, strict=True)
                ]
                update_each(updates, *whole)

    def _keep(
        self, rows: int, records: list[Record], seen: list[list[Any]], penalty: float
    ) -> None:
        if any(self._whole):
            self._update_whole(seen)
        self._records.append(records)
        self._batches.append((rows, penalty))
        if len(self._records) * self._job.groups.number >= _RECORDS_AT_ONCE:
            self._add_up()

    def _add_up(self) -> None:
        """Add what the groups of all ranks have recorded; all ranks must call it alike."""
        if not self._batches:
            return
        records, batches = self._records, self._batches
        self._records, self._batches = [], []
        found = self._job.ranks.gather(([rows for rows, _ in batches], records), "loss and metrics")
        rows_of_ranks, of_ranks = zip(*found, strict=True)
        if any(rows != rows_of_ranks[0] for rows in rows_of_ranks):
            raise ValueError(
                "The ranks must read the same batches, each of which they share out. "
                f"Received: batches of {list(rows_of_ranks)} rows on the ranks"
            )
        for (_, penalty), batch in zip(batches, zip(*of_ranks, strict=True), strict=True):
            self._add_batch(penalty, [record for of_rank in batch for record in of_rank])
        for metric, sums in zip(self._summed, self._sums, strict=True):
            metric.reset_state()
            if sums is not None:
                set_sums(metric, sums)

    def _add_batch(self, penalty: float, records: Sequence[Record]) -> None:
        samples = sum(record.samples for record in records)
        factors = factors_of(np.array([each.divisors for each in records]), self._is_sum)
        losses = [0.0] * len(self._with_loss)
        for record, own in zip(records, factors, strict=True):
            penalty += record.penalty
            for number, (loss, factor) in enumerate(zip(record.losses, own, strict=True)):
                losses[number] += loss * float(factor)
            for place, sums in enumerate(record.sums):
                self._sums[place] = added(self._sums[place], sums)
        total = penalty
        for weight, loss in zip(self._loss_weights, losses, strict=True):
            total += weight * loss
        self._samples += samples
        self._loss_sum += total * samples
        for number in range(len(self._part_sums)):
            self._part_sums[number] += losses[number] * samples

    def results(self) -> dict[str, Any]:
        """Return the means since the last `reset`; all ranks must ask for them after a batch."""
        self._add_up()
        return super().results()

    def mean_losses(self) -> list[Mean]:
        """Return the means of the losses as metrics."""
        self._add_up()
        return super().mean_losses()

    def get_state(self) -> dict[str, Any]:
        """Return what loss and metrics have gathered since the last `reset`."""
        self._add_up()
        return super().get_state()

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Bring back what `get_state` returned."""
        self.reset()
        super().set_state(state)
        self._sums = [sums_of(metric) for metric in self._summed]


class _Agreement:
    """What the ranks tell each other about a batch: that they all have it, and how groups count.

    Args:
        step: The step of this rank.
        rows: Number of rows of the whole batch; 0 for no further batch.
        passed: The groups of this rank that went forward.
    """

    def __init__(self, step: DistributedStep, rows: int, passed: Mapping[int, _Passed]) -> None:
        self._step = step
        self._rows = rows
        groups, ranks = step._job.groups, step._job.ranks
        self._most = max(len(groups.of_rank(rank)) for rank in range(ranks.size))
        own = np.zeros((self._most, len(step._is_sum)))
        first = groups.of_rank(ranks.rank).start
        for group, each in passed.items():
            own[group - first] = each.divisors
        numbers = np.array([step.pending(), rows, *own.ravel()], np.float64)
        self._shared: Shared = ranks.share(numbers)

    def is_complete(self) -> bool:
        """Return whether it is known that all ranks have the batch; does not wait.

        Raises:
            ValueError: On all ranks, if they have batches of other sizes.
        """
        if not self._shared.is_complete():
            return False
        self._checked()
        return True

    def factors(self) -> np.ndarray:
        """Return the factors of all groups in the losses of the batch, `[groups, outputs]`.

        They are right if all groups went forward.

        Raises:
            ValueError: On all ranks, if they have batches of other sizes.
        """
        groups, is_sum = self._step._job.groups, self._step._is_sum
        divisors = np.concatenate(
            [
                row.reshape(self._most, len(is_sum))[: len(groups.of_rank(rank))]
                for rank, row in enumerate(self._checked()[:, 2:])
            ]
        )
        return factors_of(divisors, is_sum)

    def _checked(self) -> np.ndarray:
        found = self._shared.result()
        self._step.signal = int(found[:, 0].max())
        if (found[:, 1] != self._rows).any():
            raise ValueError(
                "The ranks must read the same batches, each of which they share out. "
                f"Received: batches of {found[:, 1].astype(int).tolist()} rows on the ranks (0 "
                "where there was no further batch)"
            )
        return found


def _needs_whole_batch(metric: Metric) -> bool:
    return not is_summed(metric)


def _rows(batch: Batch) -> int:
    return len(batch.x[0]) if batch.rows is None else batch.rows


def _refuse_stateful(layers: Sequence[Layer]) -> None:
    for layer in layers:
        if layer._stateful:
            raise ValueError(
                "Layers of a model whose batches are cut into row groups must not be stateful: "
                "their states belong to the rows of a whole batch. Received: layer "
                f"'{layer.name}' with stateful=True"
            )
