"""Processes that train one model together: who has which rows, and how gradients are summed.

Nothing here knows of MPI; `fastrnn.distribution` brings the ranks.
"""

from fastrnn.parallel.gradient_exchange import GradientExchange
from fastrnn.parallel.gradient_sum import GradientLayout, GradientSum
from fastrnn.parallel.groups import Groups
from fastrnn.parallel.job import Job, current, is_first, on_first, set_current
from fastrnn.parallel.ranks import RankError, Ranks, Shared

__all__ = [
    "GradientExchange",
    "GradientLayout",
    "GradientSum",
    "Groups",
    "Job",
    "RankError",
    "Ranks",
    "Shared",
    "current",
    "is_first",
    "on_first",
    "set_current",
]
