"""Trains SimpleRNN, LSTM and GRU models on CPUs, with the interface and the numbers of Keras.

Example:
    >>> import fastrnn
    >>> from fastrnn import layers
    >>> model = fastrnn.Sequential(
    ...     [layers.Embedding(10000, 32), layers.LSTM(50), layers.Dense(1, activation="sigmoid")]
    ... )
    >>> model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
"""

from __future__ import annotations

from fastrnn import (
    activations,
    backend,
    callbacks,
    config,
    constraints,
    datasets,
    distribution,
    dtype_policies,
    initializers,
    kernels,
    layers,
    losses,
    metrics,
    mixed_precision,
    models,
    ops,
    optimizers,
    preprocessing,
    regularizers,
    saving,
    utils,
)
from fastrnn._core import __version__
from fastrnn.compatibility.paths import install as _install_old_paths
from fastrnn.config import get_config, get_num_threads, set_num_threads, show_config
from fastrnn.distribution import fit_many
from fastrnn.dtype_policies import DTypePolicy, FloatDTypePolicy
from fastrnn.initializers import Initializer
from fastrnn.interop import from_keras, from_torch, to_keras
from fastrnn.layers import Input, Layer
from fastrnn.layers.gradients import GradientTape, value_and_gradients
from fastrnn.losses import Loss
from fastrnn.metrics import Metric
from fastrnn.models import Model, Sequential
from fastrnn.optimizers import Optimizer
from fastrnn.regularizers import Regularizer
from fastrnn.variable import Variable

_install_old_paths()

__all__ = [
    "DTypePolicy",
    "FloatDTypePolicy",
    "GradientTape",
    "Initializer",
    "Input",
    "Layer",
    "Loss",
    "Metric",
    "Model",
    "Optimizer",
    "Regularizer",
    "Sequential",
    "Variable",
    "__version__",
    "activations",
    "backend",
    "callbacks",
    "config",
    "constraints",
    "datasets",
    "distribution",
    "dtype_policies",
    "fit_many",
    "from_keras",
    "from_torch",
    "get_config",
    "get_num_threads",
    "initializers",
    "kernels",
    "layers",
    "losses",
    "metrics",
    "mixed_precision",
    "models",
    "ops",
    "optimizers",
    "preprocessing",
    "regularizers",
    "saving",
    "set_num_threads",
    "show_config",
    "to_keras",
    "utils",
    "value_and_gradients",
]
