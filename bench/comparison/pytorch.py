"""PyTorch as a peer: the same model out of its own layers, trained by the usual loop."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
import torch

from comparison.data import each
from comparison.torch_layers import build
from comparison.trainee import Plan, Predicted, Progress

Activation = Callable[[torch.Tensor], torch.Tensor]
Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
BETA_2 = 0.999
EPSILON = 1e-7  # Keras's


def _crossentropy(logits: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Mean crossentropy of logits [..., classes] and classes [...]."""
    return torch.nn.functional.cross_entropy(logits.flatten(0, -2), y.flatten())


# For each loss of Keras: the activation that belongs to it, and the loss of what lies below that.
LOSSES: dict[str, tuple[Activation, Loss]] = {
    "binary_crossentropy": (
        torch.sigmoid,
        torch.nn.functional.binary_cross_entropy_with_logits,
    ),
    "sparse_categorical_crossentropy": (lambda y: torch.softmax(y, dim=-1), _crossentropy),
    "mse": (lambda y: y, torch.nn.functional.mse_loss),
}


class PyTorch:
    """A model of PyTorch under the worker's commands.

    Args:
        plan: The model, its data and how it is trained.
        threads: Cores that it may use.
        flush_denormals: Whether numbers too small for full precision become zero.
        packed: Whether sequences that end early are packed (see `torch_layers.Recurrent`).
    """

    def __init__(self, plan: Plan, threads: int, *, flush_denormals: bool, packed: bool) -> None:
        # Before the first parallel region: threads take over the mode of the one that starts them.
        torch.set_flush_denormal(flush_denormals)
        torch.set_num_threads(threads)
        self.plan = plan
        features = each(plan.data["x_train"], lambda array: array.shape[-1])
        self.model = build(plan.layers, plan.weights, features, packed)
        self.activation, self.loss = LOSSES[plan.loss]
        trained = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        self.optimizer = torch.optim.Adam(
            trained, lr=plan.learning_rate, betas=(0.9, BETA_2), eps=EPSILON, fused=True
        )
        self.step = 0

    def train(self, rows: np.ndarray) -> Progress:
        """Trains on these rows, one step for each batch of them."""
        batch = self.plan.batch
        x = each(self.plan.data["x_train"], lambda array: torch.from_numpy(array[rows]))
        y = _labels(self.plan.data["y_train"][rows])
        self.model.train()
        losses = []
        start = time.perf_counter()
        for first in range(0, len(rows), batch):
            self.step += 1
            # Keras adds epsilon before the correction of the second moment, PyTorch after it.
            self.optimizer.param_groups[0]["eps"] = EPSILON / np.sqrt(1.0 - BETA_2**self.step)
            self.optimizer.zero_grad()
            part = slice(first, first + batch)
            outputs = self.model(each(x, lambda whole, part=part: whole[part]))
            loss = self.loss(outputs, y[part])
            loss.backward()
            self.optimizer.step()
            losses.append(loss.item())
        return Progress(time.perf_counter() - start, float(np.mean(losses)))

    def evaluate(self, batch: int) -> tuple[float, float]:
        """Loss and metric on the test set."""
        x = each(
            self.plan.data["x_test"], lambda array: torch.from_numpy(np.array(array)).split(batch)
        )
        y = _labels(np.array(self.plan.data["y_test"]))
        self.model.eval()
        with torch.inference_mode():
            parts = list(map(list, zip(*x, strict=True))) if isinstance(x, list) else x
            outputs = torch.cat([self.model(part) for part in parts])
            loss = float(self.loss(outputs, y))
            if self.plan.metric == "accuracy":
                if self.plan.loss == "binary_crossentropy":
                    return loss, float(((outputs > 0) == (y > 0.5)).float().mean())
                return loss, float((outputs.argmax(dim=-1) == y).float().mean())
        return loss, float(torch.nn.functional.mse_loss(outputs, y))

    def predict(self, x: np.ndarray, batch: int) -> Predicted:
        """The model's outputs, computed in batches."""
        self.model.eval()
        start = time.perf_counter()
        with torch.inference_mode():
            parts = [self._outputs(part) for part in torch.from_numpy(x).split(batch)]
            outputs = torch.cat(parts).numpy()
        return Predicted(time.perf_counter() - start, outputs)

    def predict_one(self, x: np.ndarray) -> np.ndarray:
        """The model's output for an array of one sample, by a call of the module."""
        self.model.eval()
        with torch.inference_mode():
            return self._outputs(torch.from_numpy(x)).numpy()

    def _outputs(self, x: torch.Tensor) -> torch.Tensor:
        return self.activation(self.model(x))

    def weights(self) -> Sequence[np.ndarray]:
        """The weights in Keras's layout and order."""
        return [array for module in self.model for array in module.dump()]


def _labels(y: np.ndarray) -> torch.Tensor:
    """Classes as PyTorch wants them, int64; numbers as columns, like the outputs."""
    labels = torch.from_numpy(y)
    return labels.reshape(-1, 1) if labels.is_floating_point() else labels.long()
