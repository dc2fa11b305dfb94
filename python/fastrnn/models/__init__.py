"""Models."""

from fastrnn.models.cloning import clone_model
from fastrnn.models.model import Model
from fastrnn.models.sequential import Sequential
from fastrnn.saving.api import load_model, save_model
from fastrnn.saving.model_config import model_from_json

__all__ = [
    "Model",
    "Sequential",
    "clone_model",
    "load_model",
    "model_from_json",
    "save_model",
]
