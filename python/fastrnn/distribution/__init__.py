"""More than one model, more than one machine."""

from fastrnn.distribution.data_parallel import (
    DataParallel,
    distribution,
    get_device_count,
    list_devices,
    set_distribution,
)
from fastrnn.distribution.fit_many import fit_many
from fastrnn.distribution.initialization import initialize

__all__ = [
    "DataParallel",
    "distribution",
    "fit_many",
    "get_device_count",
    "initialize",
    "list_devices",
    "set_distribution",
]
