"""Models."""

from fastrnn.models.model import Model
from fastrnn.models.sequential import Sequential

__all__ = ["Model", "Sequential"]
