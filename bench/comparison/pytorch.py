"""PyTorch as a peer: the same model out of its own layers, trained by the usual loop."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import torch

from comparison.torch_layers import build
from comparison.trainee import Plan, Predicted, Progress

BETA_2 = 0.999
EPSILON = 1e-7  # Keras's


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
        self.model = build(plan.layers, plan.weights, plan.data["x_train"].shape[-1], packed)
        self.sigmoid = plan.layers[-1][1].get("activation") == "sigmoid"
        self.loss = {"binary_crossentropy": torch.nn.BCEWithLogitsLoss, "mse": torch.nn.MSELoss}[
            plan.loss
        ]()
        trained = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        self.optimizer = torch.optim.Adam(
            trained, lr=plan.learning_rate, betas=(0.9, BETA_2), eps=EPSILON, fused=True
        )
        self.step = 0

    def train(self, rows: np.ndarray) -> Progress:
        """Trains on these rows, one step for each batch of them."""
        batch = self.plan.batch
        x = torch.from_numpy(self.plan.data["x_train"][rows])
        y = torch.from_numpy(self.plan.data["y_train"][rows]).reshape(-1, 1)
        losses = []
        start = time.perf_counter()
        for first in range(0, len(rows), batch):
            self.step += 1
            # Keras adds epsilon before the correction of the second moment, PyTorch after it.
            self.optimizer.param_groups[0]["eps"] = EPSILON / np.sqrt(1.0 - BETA_2**self.step)
            self.optimizer.zero_grad()
            loss = self.loss(self.model(x[first : first + batch]), y[first : first + batch])
            loss.backward()
            self.optimizer.step()
            losses.append(loss.item())
        return Progress(time.perf_counter() - start, float(np.mean(losses)))

    def evaluate(self, batch: int) -> tuple[float, float]:
        """Loss and metric on the test set."""
        x = torch.from_numpy(np.array(self.plan.data["x_test"]))
        y = torch.from_numpy(np.array(self.plan.data["y_test"])).reshape(-1, 1)
        with torch.inference_mode():
            outputs = torch.cat([self.model(part) for part in x.split(batch)])
            loss = float(self.loss(outputs, y))
            if self.plan.metric == "accuracy":
                return loss, float(((outputs > 0) == (y > 0.5)).float().mean())
        return loss, float(torch.nn.functional.mse_loss(outputs, y))

    def predict(self, x: np.ndarray, batch: int) -> Predicted:
        """The model's outputs, computed in batches."""
        start = time.perf_counter()
        with torch.inference_mode():
            parts = [self._outputs(part) for part in torch.from_numpy(x).split(batch)]
            outputs = torch.cat(parts).numpy()
        return Predicted(time.perf_counter() - start, outputs)

    def predict_one(self, x: np.ndarray) -> np.ndarray:
        """The model's output for an array of one sample, by a call of the module."""
        with torch.inference_mode():
            return self._outputs(torch.from_numpy(x)).numpy()

    def _outputs(self, x: torch.Tensor) -> torch.Tensor:
        y = self.model(x)
        return torch.sigmoid(y) if self.sigmoid else y

    def weights(self) -> Sequence[np.ndarray]:
        """The weights in Keras's layout and order."""
        return [array for module in self.model for array in module.dump()]
