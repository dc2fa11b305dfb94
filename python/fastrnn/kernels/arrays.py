"""Types of arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats: TypeAlias = NDArray[np.float32]
States: TypeAlias = Sequence[ArrayLike | None]
EachFloats: TypeAlias = Floats | list[Floats]
