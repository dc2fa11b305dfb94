"""What all optimizers share: slots, learning rate, clipping and weight decay."""

from __future__ import annotations

import math
import numbers
import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from fastrnn.naming import auto_name
from fastrnn.optimizers.clipping import clip_by_global_norm, clip_by_norm, clip_by_value
from fastrnn.optimizers.schedules import LearningRateSchedule
from fastrnn.variable import Variable

LearningRate = float | LearningRateSchedule | Callable[[], float]

_INERT: dict[str, Any] = {
    "use_ema": False,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
}
"""Arguments of Keras's optimizers that are accepted at their defaults only."""


class Optimizer:
    """Base of all optimizers.

    Subclasses make their slots in `build` and change one variable in `update_step`.

    Args:
        learning_rate: A number, a `LearningRateSchedule`, or a function without arguments.
        weight_decay: If set, each step first multiplies every variable by
            `1 - weight_decay * learning_rate`.
        clipnorm: If set, limit of the L2 norm of each gradient.
        clipvalue: If set, limit of the absolute value of each element.
        global_clipnorm: If set, limit of the joint L2 norm of all gradients.
        name: Name of the optimizer. Defaults to the class name in snake case.
        **inert: `use_ema`, `ema_momentum`, `ema_overwrite_frequency`, `loss_scale_factor` and
            `gradient_accumulation_steps`, known to Keras and accepted at its defaults only.

    Raises:
        ValueError: If a value is out of range, two of the clipping arguments are set, or an
            argument is not known.
    """

    def __init__(
        self,
        learning_rate: LearningRate,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        name: str | None = None,
        **inert: Any,
    ) -> None:
        _check_inert(inert)
        limits = {
            "clipnorm": clipnorm,
            "clipvalue": clipvalue,
            "global_clipnorm": global_clipnorm,
        }
        for argument, value in (*limits.items(), ("weight_decay", weight_decay)):
            if value is not None:
                check_number(argument, value, 0.0)
        if sum(limit is not None for limit in limits.values()) > 1:
            raise ValueError(
                "Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set. Received: "
                + ", ".join(f"{argument}={value}" for argument, value in limits.items())
            )
        self._learning_rate = _check_learning_rate(learning_rate)
        self.name = name or auto_name(type(self).__name__)
        self.weight_decay = weight_decay
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self.global_clipnorm = global_clipnorm
        self.iterations = 0
        self.built = False
        self._trainable_variables: list[Variable] = []
        self._index: dict[int, int] = {}
        self._slots: list[Variable] = []
        self._undecayed: Callable[[Variable], bool] = lambda variable: False
        self._decays: list[bool] = []

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots of the given variables.

        Subclasses call this first, then `add_slots`.

        Args:
            variables: The variables that `apply` will update, in the order of its gradients.
        """
        self._trainable_variables = list(variables)
        self._index = {id(variable): i for i, variable in enumerate(variables)}
        self._decays = [not self._undecayed(variable) for variable in variables]
        self.built = True

    def add_slots(self, *names: str) -> tuple[list[np.ndarray], ...]:
        """Make slots of zeros, one of each name for each variable.

        Args:
            *names: What the slots are, such as `"momentum"`.

        Returns:
            For each name, the arrays in the order of the variables.
        """
        made: tuple[list[np.ndarray], ...] = tuple([] for _ in names)
        # Name after name for each variable: Keras's order of `variables`, hence of its files.
        for variable in self._trainable_variables:
            for name, arrays in zip(names, made, strict=True):
                short = f"{variable.path.replace('/', '_')}_{name}"
                slot = Variable(
                    np.zeros(variable.shape), short, f"{self.name}/{short}", trainable=False
                )
                self._slots.append(slot)
                arrays.append(slot.value)
        return made

    def begin_step(self, learning_rate: np.float32) -> None:
        """Compute what all variables of one step have in common; nothing by default."""

    def update_step(
        self, gradient: np.ndarray, variable: Variable, learning_rate: np.float32, decay: float
    ) -> None:
        """Change one variable in place.

        Args:
            gradient: Array of the variable's shape, clipped.
            variable: One of the variables of `build`; `index_of` tells its place.
            learning_rate: Learning rate of this step.
            decay: Share of the variable's value to take away first; 0 without weight decay.
        """
        raise NotImplementedError(f"`{type(self).__name__}` must implement `update_step`.")

    def index_of(self, variable: Variable) -> int:
        """Return the place of a variable among those of `build`."""
        return self._index[id(variable)]

    def apply(
        self,
        grads: Sequence[np.ndarray | None],
        trainable_variables: Sequence[Variable] | None = None,
    ) -> None:
        """Update the variables by their gradients.

        Args:
            grads: Gradients; a variable whose gradient is None stays as it is.
            trainable_variables: Their variables. Defaults to those of `build`, and is handed to
                `build` if that has not been called.

        Raises:
            ValueError: If gradients and variables do not fit each other; nothing is changed then.
        """
        if len(grads) == 0:
            return
        if trainable_variables is None and not self.built:
            raise ValueError(
                "`apply` needs `trainable_variables` unless `build` has been called before."
            )
        variables = self._trainable_variables
        if trainable_variables is not None:
            variables = list(trainable_variables)
        gradients, updated = _pair(grads, variables)
        if not self.built:
            self.build(variables)
        elif unknown := [variable for variable in updated if id(variable) not in self._index]:
            raise ValueError(
                "The optimizer can only update the variables it was built with. "
                f"Received: {unknown[0]!r}"
            )
        gradients = self._clip(gradients)
        learning_rate = np.float32(self.learning_rate)
        decay = 0.0 if self.weight_decay is None else self.weight_decay * float(learning_rate)
        self.begin_step(learning_rate)
        for gradient, variable in zip(gradients, updated, strict=True):
            share = decay if self._decays[self._index[id(variable)]] else 0.0
            self.update_step(gradient, variable, learning_rate, share)
        self.iterations += 1

    def apply_gradients(self, grads_and_vars: Iterable[tuple[np.ndarray | None, Variable]]) -> int:
        """Update variables by pairs of gradient and variable; return the number of updates."""
        pairs = list(grads_and_vars)
        self.apply([gradient for gradient, _ in pairs], [variable for _, variable in pairs])
        return self.iterations

    def exclude_from_weight_decay(
        self,
        var_list: Iterable[Variable] | None = None,
        var_names: Iterable[str] | None = None,
    ) -> None:
        """Leave variables out of the weight decay; to be called before `build`.

        Args:
            var_list: Variables to leave out.
            var_names: Regular expressions; a variable whose name one of them is found in is
                left out.

        Raises:
            ValueError: If the optimizer has been built.
        """
        if self.built:
            raise ValueError(
                "`exclude_from_weight_decay()` must be called before the optimizer is built."
            )
        excluded = {id(variable) for variable in var_list or ()}
        patterns = [re.compile(name) for name in var_names or ()]
        self._undecayed = lambda variable: (
            id(variable) in excluded or any(pattern.search(variable.name) for pattern in patterns)
        )

    @property
    def learning_rate(self) -> float:
        """Learning rate of the next update; can be set unless it is a schedule."""
        if isinstance(self._learning_rate, LearningRateSchedule):
            return float(self._learning_rate(self.iterations))
        if callable(self._learning_rate):
            return float(self._learning_rate())
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate: LearningRate) -> None:
        checked = _check_learning_rate(learning_rate)
        if isinstance(self._learning_rate, LearningRateSchedule) and not callable(checked):
            raise TypeError(
                "The learning rate of an optimizer made with a `LearningRateSchedule` can only be "
                f"set to another schedule. Received: learning_rate={learning_rate!r}"
            )
        self._learning_rate = checked

    @property
    def variables(self) -> list[Variable]:
        """The slots, in Keras's order (without its iteration and learning rate)."""
        return list(self._slots)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        rate = self._learning_rate
        return {
            "name": self.name,
            "learning_rate": {
                "class_name": type(rate).__name__,
                "config": rate.get_config(),
            }
            if isinstance(rate, LearningRateSchedule)
            else self.learning_rate,
            "weight_decay": self.weight_decay,
            "clipnorm": self.clipnorm,
            "global_clipnorm": self.global_clipnorm,
            "clipvalue": self.clipvalue,
            **_INERT,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Optimizer:
        """Make an optimizer, without state, from the result of `get_config`."""
        return cls(**config)

    def _clip(self, gradients: list[np.ndarray]) -> list[np.ndarray]:
        if self.clipnorm:
            return clip_by_norm(gradients, self.clipnorm)
        if self.global_clipnorm:
            return clip_by_global_norm(gradients, self.global_clipnorm)
        if self.clipvalue:
            return clip_by_value(gradients, self.clipvalue)
        return gradients


def check_number(
    argument: str, value: Any, low: float = -math.inf, high: float = math.inf
) -> float:
    """Return a constructor argument as a float.

    Raises:
        ValueError: If it is no number in [low, high], or not finite.
    """
    number = math.nan
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        number = float(value)
    if not math.isfinite(number) or not low <= number <= high:
        span = f" >= {low}" if math.isinf(high) else f" in [{low}, {high}]"
        if math.isinf(low):
            span = ""
        raise ValueError(f"`{argument}` must be a number{span}. Received: {argument}={value!r}")
    return number


def _check_learning_rate(learning_rate: LearningRate) -> LearningRate:
    if callable(learning_rate):
        return learning_rate
    # Keras keeps the learning rate as a float32, so this is the number its users see.
    return float(np.float32(check_number("learning_rate", learning_rate)))


def _check_inert(arguments: dict[str, Any]) -> None:
    for argument, value in arguments.items():
        if argument not in _INERT:
            raise ValueError(
                f"`{argument}` is not an argument of this optimizer. Received: {argument}={value!r}"
            )
        if value != _INERT[argument]:
            raise ValueError(
                f"`{argument}` is not supported and must be {_INERT[argument]!r}, its default. "
                f"Received: {argument}={value!r}"
            )


def _pair(
    grads: Sequence[np.ndarray | None], variables: Sequence[Variable]
) -> tuple[list[np.ndarray], list[Variable]]:
    """Check gradients against their variables, and leave out variables without one."""
    if len(grads) != len(variables):
        raise ValueError(
            "Gradients and variables must match one to one. "
            f"Received: {len(grads)} gradients for {len(variables)} variables"
        )
    gradients, updated, missing = [], [], []
    for gradient, variable in zip(grads, variables, strict=True):
        if gradient is None:
            missing.append(variable.path)
            continue
        array = np.asarray(gradient, dtype=np.float32)
        if array.shape != variable.shape:
            raise ValueError(
                f"The gradient of variable `{variable.path}` must have shape {variable.shape}. "
                f"Received: shape={array.shape}"
            )
        gradients.append(array)
        updated.append(variable)
    if not gradients:
        raise ValueError("No gradients provided for any variable.")
    if missing:
        warnings.warn(f"There are no gradients for the variables {missing}.", stacklevel=3)
    return gradients, updated
