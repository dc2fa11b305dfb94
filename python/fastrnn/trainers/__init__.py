"""Training: data, steps and the methods of a model around them."""

from fastrnn.trainers.trainer import Trainer

__all__ = ["Trainer"]
