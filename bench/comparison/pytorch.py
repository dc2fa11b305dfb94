"""PyTorch as a peer: the same model out of its own layers, trained by the usual loop."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import torch

from comparison.systems import Plan, Progress
from comparison.weights import recurrent_from_torch, recurrent_to_torch

RECURRENT = {"SimpleRNN": torch.nn.RNN, "LSTM": torch.nn.LSTM, "GRU": torch.nn.GRU}
BETA_2 = 0.999
EPSILON = 1e-7  # Keras's


def _assign(parameter: torch.nn.Parameter, array: np.ndarray) -> None:
    with torch.no_grad():
        parameter.copy_(torch.from_numpy(np.ascontiguousarray(array)))


class Embedding(torch.nn.Embedding):
    """Keras's Embedding."""

    def __init__(self, features: int, *, input_dim: int, output_dim: int) -> None:
        super().__init__(input_dim, output_dim)
        self.features = output_dim

    def load(self, weights: list[np.ndarray]) -> None:
        """Takes its weights, in Keras's layout, from the front of the list."""
        _assign(self.weight, weights.pop(0))

    def dump(self) -> list[np.ndarray]:
        """Its weights in Keras's layout."""
        return [self.weight.detach().numpy()]


class Recurrent(torch.nn.Module):
    """Keras's SimpleRNN, LSTM or GRU, returning the last state."""

    def __init__(self, features: int, *, cell: str, units: int) -> None:
        super().__init__()
        self.cell, self.features = cell, units
        self.rnn = RECURRENT[cell](features, units, batch_first=True)
        if cell != "GRU":
            # Keras has one bias here. Two trained ones would move twice as fast under Adam.
            self.rnn.bias_hh_l0.requires_grad_(False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, T, F] to [B, H]."""
        outputs, _ = self.rnn(x)
        return outputs[:, -1]

    def load(self, weights: list[np.ndarray]) -> None:
        """Takes its weights, in Keras's layout, from the front of the list."""
        converted = recurrent_to_torch(self.cell, weights[:3])
        del weights[:3]
        for parameter, array in zip(self.rnn.all_weights[0], converted, strict=True):
            _assign(parameter, array)

    def dump(self) -> list[np.ndarray]:
        """Its weights in Keras's layout."""
        arrays = [parameter.detach().numpy() for parameter in self.rnn.all_weights[0]]
        return recurrent_from_torch(self.cell, arrays)


class Dense(torch.nn.Linear):
    """Keras's Dense. A sigmoid is left to the loss, which takes logits as PyTorch's users do."""

    def __init__(self, features: int, *, units: int, activation: str = "linear") -> None:
        super().__init__(features, units)
        if activation not in ("linear", "sigmoid"):
            raise ValueError(f"activation must be linear or sigmoid. Received: {activation}")
        self.features = units

    def load(self, weights: list[np.ndarray]) -> None:
        """Takes its weights, in Keras's layout, from the front of the list."""
        _assign(self.weight, weights.pop(0).T)
        _assign(self.bias, weights.pop(0))

    def dump(self) -> list[np.ndarray]:
        """Its weights in Keras's layout."""
        return [self.weight.detach().numpy().T, self.bias.detach().numpy()]


def build(plan: Plan) -> torch.nn.Sequential:
    """The model of a plan, with its initial weights."""
    modules: list[torch.nn.Module] = []
    features = plan.data["x_train"].shape[-1]
    weights = list(plan.weights)
    for kind, options in plan.layers:
        if kind in RECURRENT:
            module: torch.nn.Module = Recurrent(features, cell=kind, **options)
        else:
            module = {"Embedding": Embedding, "Dense": Dense}[kind](features, **options)
        module.load(weights)
        features = module.features
        modules.append(module)
    return torch.nn.Sequential(*modules)


class PyTorch:
    """A model of PyTorch under the worker's commands."""

    def __init__(self, plan: Plan, threads: int, *, flush_denormals: bool) -> None:
        # Before the first parallel region: threads take over the mode of the one that starts them.
        torch.set_flush_denormal(flush_denormals)
        torch.set_num_threads(threads)
        self.plan = plan
        self.model = build(plan)
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

    def weights(self) -> Sequence[np.ndarray]:
        """The weights in Keras's layout and order."""
        return [array for module in self.model for array in module.dump()]
