"""Data sets, as in Keras: downloaded once, checked by their hash, and read without running code."""

from __future__ import annotations

from fastrnn.datasets import (
    boston_housing,
    california_housing,
    fashion_mnist,
    imdb,
    mnist,
    reuters,
)

__all__ = [
    "boston_housing",
    "california_housing",
    "fashion_mnist",
    "imdb",
    "mnist",
    "reuters",
]
