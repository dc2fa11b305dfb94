"""The distribution that is set: how models are trained from then on."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from fastrnn import parallel
from fastrnn.arguments import positive_integer
from fastrnn.distribution.initialization import check_initialized, ranks


def list_devices(device_type: str | None = None) -> list[str]:
    """Return the processes of the job, under Keras's names of devices.

    Args:
        device_type: `"cpu"` or None.

    Returns:
        `"cpu:0"`, `"cpu:1"` and so on, one for each process.

    Raises:
        ValueError: If another type is asked for.

    Example:
        >>> from fastrnn import distribution
        >>> distribution.list_devices()
        ['cpu:0']
    """
    if device_type is not None and device_type.lower() != "cpu":
        raise ValueError(
            f"`device_type` must be 'cpu' or None. Received: device_type={device_type!r}"
        )
    return [f"cpu:{rank}" for rank in range(ranks().size)]


def get_device_count(device_type: str | None = None) -> int:
    """Return the number of processes of the job.

    Args:
        device_type: `"cpu"` or None.

    Returns:
        The number.

    Raises:
        ValueError: If another type is asked for.

    Example:
        >>> from fastrnn import distribution
        >>> distribution.get_device_count()
        1
    """
    return len(list_devices(device_type))


class DataParallel:
    """Several processes train one model, each on its rows of every batch.

    Every rank runs the same program. `batch_size` is that of all ranks together: each takes its
    rows of the same batch, in the same shuffled order, and no data are sent. Rows of tokens and of
    lists are dealt out by their lengths, so that ranks have about the same work. Gradients are
    summed over the ranks before they are clipped and applied, so that all ranks have the same
    weights.
    Losses and metrics are those of the whole batch. `evaluate` and `predict` are shared out, and
    return the whole result on each rank; all ranks have to call them.

    A batch is cut into `groups` of rows. Each group's gradient is computed alone, and they are
    added in a fixed order. With a number of groups of your own, 1, 2 and 4 ranks compute the same
    bits. It costs time, since a group has few rows; with one group for each rank, the default, bits
    depend on the number of ranks, as they do with a plain sum over ranks.

    Callbacks are called on all ranks, those that write files or print on rank 0 alone (their
    `first_rank_only` is set). What one of them decides, `stop_training` or a learning rate, reaches
    all ranks.

    Args:
        device_mesh: Only None: there is one row of processes.
        devices: Only None or what `list_devices` returns.
        auto_shard_dataset: Only True: every rank reads the same batches.
        groups: Number of row groups of a batch; by default that of the ranks.

    Attributes:
        groups: Number of row groups of a batch.
        rank: Number of this process, from 0; also `data_shard_id`.
        num_processes: Number of processes; also `num_model_replicas`.

    Raises:
        ValueError: If an argument is none of these, or several processes run and `initialize` has
            not been called.

    Example:
        >>> import numpy as np
        >>> import fastrnn
        >>> from fastrnn import distribution, layers
        >>> distribution.set_distribution(distribution.DataParallel(groups=4))
        >>> model = fastrnn.Sequential([layers.GRU(3), layers.Dense(1)])
        >>> model.compile("adam", "mse")
        >>> x, y = np.ones((8, 5, 2)), np.ones(8)
        >>> sorted(model.fit(x, y, batch_size=8, verbose=0).history)
        ['loss']
        >>> distribution.set_distribution(None)
    """

    batch_dim_name = "batch"
    auto_shard_dataset = True

    def __init__(
        self,
        device_mesh: Any = None,
        devices: Any = None,
        auto_shard_dataset: bool = True,
        groups: int | None = None,
    ) -> None:
        check_initialized()
        if device_mesh is not None:
            raise ValueError(
                "`device_mesh` must be None: the processes of a job stand in one row. "
                f"Received: device_mesh={device_mesh!r}"
            )
        if devices is not None and np.asarray(devices).tolist() != list_devices():
            raise ValueError(
                f"`devices` must be None or all processes of the job, {list_devices()}. "
                f"Received: devices={devices!r}"
            )
        if auto_shard_dataset is not True:
            raise ValueError(
                "`auto_shard_dataset` must be True: every rank reads the same batches and takes "
                f"its own rows. Received: auto_shard_dataset={auto_shard_dataset!r}"
            )
        own = ranks()
        self.groups = own.size if groups is None else positive_integer("groups", groups)
        if self.groups < own.size and own.rank == 0:
            warnings.warn(
                f"Only {self.groups} of {own.size} processes have work: `groups` should be at "
                f"least their number. Received: groups={self.groups}",
                stacklevel=2,
            )
        self.rank = self.data_shard_id = own.rank
        self.num_processes = self.num_model_replicas = own.size
        self._job = parallel.Job(own, self.groups)

    @contextmanager
    def scope(self) -> Iterator[DataParallel]:
        """Set this distribution within a `with` block.

        Returns:
            A context manager, which gives the distribution.

        Example:
            >>> from fastrnn import distribution
            >>> with distribution.DataParallel(groups=2).scope():
            ...     distribution.distribution().groups
            2
        """
        before = distribution()
        set_distribution(self)
        try:
            yield self
        finally:
            set_distribution(before)

    def __repr__(self) -> str:
        return f"<DataParallel rank={self.rank} of {self.num_processes} groups={self.groups}>"


_distribution: DataParallel | None = None


def distribution() -> DataParallel | None:
    """Return the distribution that is set.

    Returns:
        The distribution; None if there is none.

    Example:
        >>> from fastrnn import distribution
        >>> print(distribution.distribution())
        None
    """
    return _distribution


def set_distribution(value: DataParallel | None) -> None:
    """Set how models are trained from here on; call it before `fit`.

    Args:
        value: The distribution; None for a process that trains alone.

    Raises:
        TypeError: If it is neither.

    Example:
        >>> from fastrnn import distribution
        >>> distribution.set_distribution(None)
    """
    global _distribution
    if value is not None and not isinstance(value, DataParallel):
        raise TypeError(f"`value` must be a `DataParallel` or None. Received: value={value!r}")
    _distribution = value
    parallel.set_current(None if value is None else value._job)
