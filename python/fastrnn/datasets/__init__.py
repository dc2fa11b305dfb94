"""Data sets, as in Keras."""

from __future__ import annotations

from fastrnn.datasets import imdb

__all__ = ["imdb"]
