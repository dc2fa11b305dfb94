"""The numbers of $FASTRNN_CASES that are not of recurrent layers: what Keras's own tests expect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import layers, losses, metrics, optimizers
from fastrnn.variable import Variable
from support import published_cases


def dense(case: dict[str, Any]) -> np.ndarray:
    x = np.array(case["x"], "float32")
    layer = layers.Dense(**case["config"])
    layer.build(x.shape)
    layer.set_weights([case[name] for name in ("kernel", "bias") if case[name] is not None])
    return layer(x)


def embedding(case: dict[str, Any]) -> np.ndarray:
    return layers.Embedding(**case["config"], weights=np.array(case["embeddings"]))(case["x"])


def pad_sequences(case: dict[str, Any]) -> np.ndarray:
    return fastrnn.utils.pad_sequences(case["x"], **case["config"])


def loss(case: dict[str, Any]) -> Any:
    made = losses.get({"class_name": case["kind"], "config": case["config"]})
    return made(np.array(case["y_true"]), np.array(case["y_pred"]), case["sample_weight"])


def metric(case: dict[str, Any]) -> float:
    made = metrics.get({"class_name": case["kind"], "config": case["config"]})
    made.update_state(np.array(case["y_true"]), np.array(case["y_pred"]), case["sample_weight"])
    return float(made.result())


def optimizer(case: dict[str, Any]) -> list[np.ndarray]:
    """The variable after each of the steps that are judged."""
    config = dict(case["config"])
    made = optimizers.get({"class_name": config.pop("name"), "config": config})
    variable, got = Variable(case["var"]), []
    for gradient, wanted in zip(case["grads"], case["expected"], strict=True):
        made.apply([np.array(gradient, "float32")], [variable])
        if wanted is not None:
            got.append(variable.numpy())
    return got


RUN: dict[str, Callable[[dict[str, Any]], Any]] = {
    "dense": dense,
    "embedding": embedding,
    "pad_sequences": pad_sequences,
    "binary_crossentropy": loss,
    "categorical_crossentropy": loss,
    "sparse_categorical_crossentropy": loss,
    "binary_accuracy": metric,
    "optimizer": optimizer,
}


@pytest.mark.parametrize("case", published_cases.other_parameters())
def test_published_number(case: dict[str, Any]) -> None:
    wanted = case["expected"]
    if case["kind"] == "optimizer":
        wanted = [each for each in wanted if each is not None]
    got = RUN[case["kind"]](case)
    np.testing.assert_allclose(got, wanted, rtol=case["rtol"], atol=case["atol"])
