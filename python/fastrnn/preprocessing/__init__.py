"""Module paths of tf.keras for functions that live in `fastrnn.utils`."""

from __future__ import annotations

from fastrnn.preprocessing import sequence

__all__ = ["sequence"]
