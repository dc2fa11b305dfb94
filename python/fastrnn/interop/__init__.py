"""Models from and to other libraries, in memory; these are imported only by what needs them."""

from fastrnn.interop.keras_models import from_keras, to_keras
from fastrnn.interop.torch_models import from_torch

__all__ = ["from_keras", "from_torch", "to_keras"]
