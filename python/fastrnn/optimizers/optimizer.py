"""What all optimizers share: slots, learning rate, clipping, weight decay, averages of weights."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from typing import Any

import numpy as np

from fastrnn.arguments import check_integer, check_number, check_positive, refuse_unknown
from fastrnn.configurable import Configurable
from fastrnn.docstrings import complete_docstring
from fastrnn.naming import auto_name
from fastrnn.optimizers import averaging, clipping, schedules
from fastrnn.optimizers.gradients import accumulate, pair, refuse_unknown_variables
from fastrnn.optimizers.old_arguments import ignore_decay
from fastrnn.optimizers.scalars import (
    IterationsValue,
    LearningRateValue,
    check_learning_rate,
    plain,
)
from fastrnn.optimizers.schedules import LearningRateSchedule
from fastrnn.optimizers.slots import SlotOwner
from fastrnn.variable import Variable

LearningRate = float | LearningRateSchedule | Callable[[], float] | Mapping[str, Any]


class Optimizer(SlotOwner, Configurable):
    """Base of all optimizers.

    Subclasses make their slots in `build` and change one variable in `update_step`. What follows
    is about all of them and becomes a part of their docstrings.

    Args:
        learning_rate: A number, a `LearningRateSchedule` or its config dict, or a function without
            arguments.
        weight_decay: If set, each step first multiplies every variable by
            `1 - weight_decay * learning_rate`.
        clipnorm: If set, limit of the L2 norm of each gradient.
        clipvalue: If set, limit of the absolute value of each element.
        global_clipnorm: If set, limit of the joint L2 norm of all gradients.
        use_ema: Whether to keep an exponential moving average of the weights, which
            `finalize_variable_values` puts in their place.
        ema_momentum: In [0, 1]: how slowly the average forgets.
        ema_overwrite_frequency: If set, the average replaces the weights after every so many
            updates too.
        loss_scale_factor: If set, what the gradients are divided by, because the loss was
            multiplied by it (see `scale_loss`).
        gradient_accumulation_steps: If set, an integer of at least 2: only every so many calls of
            `apply` update the variables, by the mean of the gradients since the last update.
            Schedules count the calls, all else the updates.
        name: Name of the optimizer. Defaults to the class name in snake case.
        **kwargs: Refused, with a hint at the argument that may have been meant; but `decay` of
            Keras 2 is ignored with a warning, as in Keras 3.

    Raises:
        ValueError: If a value is out of range, two of the clipping arguments are set, or an
            argument is not known.

    Example:
        >>> import numpy as np
        >>> class SignDescent(Optimizer):
        ...     def update_step(self, gradient, variable, learning_rate, decay):
        ...         variable.value[...] -= learning_rate * np.sign(gradient)
        >>> from fastrnn import layers, models
        >>> model = models.Sequential([layers.Input((2,)), layers.Dense(1)])
        >>> model.compile(SignDescent(0.5), "mse")
        >>> before = model.get_weights()[0]
        >>> _ = model.train_on_batch([[1.0, 1.0]], [100.0])
        >>> (model.get_weights()[0] - before).round(3)
        array([[0.5],
               [0.5]], dtype=float32)
    """

    config_arguments: tuple[str, ...] = (
        "name",
        "learning_rate",
        "weight_decay",
        "clipnorm",
        "global_clipnorm",
        "clipvalue",
        "use_ema",
        "ema_momentum",
        "ema_overwrite_frequency",
        "loss_scale_factor",
        "gradient_accumulation_steps",
    )

    _takes_decay = True
    """Whether `update_step` does the weight decay; one of Keras's form leaves it to the base."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        complete_docstring(cls)
        if "update_step" in vars(cls) and "_update_steps" not in vars(cls):
            cls._update_steps = Optimizer._update_steps  # type: ignore[method-assign]
            cls._takes_decay = len(inspect.signature(cls.update_step).parameters) > 4

    def __init__(
        self,
        learning_rate: LearningRate,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        cls = type(self)
        ignore_decay(kwargs)
        refuse_unknown(cls.__name__, kwargs, inspect.signature(cls).parameters)
        clipping.check_limits(clipnorm, clipvalue, global_clipnorm)
        if weight_decay is not None:
            check_number("weight_decay", weight_decay, 0.0)
        if ema_overwrite_frequency is not None:
            check_integer("ema_overwrite_frequency", ema_overwrite_frequency, 1)
        if loss_scale_factor is not None:
            check_positive("loss_scale_factor", loss_scale_factor)
        if gradient_accumulation_steps is not None:
            check_integer("gradient_accumulation_steps", gradient_accumulation_steps, 2)
        self._learning_rate: float | Callable[..., float] = check_learning_rate(learning_rate)
        self.name = name or auto_name(cls.__name__)
        self.weight_decay = weight_decay
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self.global_clipnorm = global_clipnorm
        self.use_ema = use_ema
        self.ema_momentum = check_number("ema_momentum", ema_momentum, 0.0, 1.0)
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.loss_scale_factor = loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self.built = False
        self._calls = 0
        self._trainable_variables: list[Variable] = []
        self._index: dict[int, int] = {}
        self._slots: list[Variable] = []
        self._averages: list[np.ndarray] = []
        self._gradient_sums: list[np.ndarray] = []
        self._undecayed: list[Variable | re.Pattern[str]] = []
        self._decays: list[bool] = []

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots of the given variables.

        Subclasses call this first, then `add_slots`.

        Args:
            variables: The variables that `apply` will update, in the order of its gradients.
        """
        self._trainable_variables = list(variables)
        self._index = {id(variable): i for i, variable in enumerate(variables)}
        self._decays = [not self._is_excluded(variable) for variable in variables]
        if self.use_ema:
            (self._averages,) = self.add_slots("average")
        if self.gradient_accumulation_steps:
            (self._gradient_sums,) = self.add_slots("gradient_accumulator")
        self.built = True

    def begin_step(self, learning_rate: np.float32) -> None:
        """Compute what all variables of one step have in common; nothing by default.

        Args:
            learning_rate: Learning rate of the step.
        """

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

    def _update_steps(
        self,
        gradients: list[np.ndarray],
        variables: list[Variable],
        learning_rate: np.float32,
        decays: list[float],
    ) -> None:
        """Change several variables in place; a class may do it in fewer calls than these."""
        for gradient, variable, decay in zip(gradients, variables, decays, strict=True):
            if self._takes_decay:
                self.update_step(gradient, variable, learning_rate, decay)
                continue
            if decay:
                variable.value[...] *= np.float32(1 - decay)
            self.update_step(gradient, variable, learning_rate)  # type: ignore[call-arg]

    def _slots_of(self, slots: list[np.ndarray], variables: list[Variable]) -> Any:
        """Return those slots, made for all variables, that are of some; None if there are none."""
        if not slots or variables == self._trainable_variables:
            return slots or None
        return [slots[self._index[id(variable)]] for variable in variables]

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
        gradients, updated = pair(grads, variables)
        if not self.built:
            self.build(variables)
        elif updated != self._trainable_variables:
            refuse_unknown_variables(updated, self._index)
        if self.loss_scale_factor is not None:
            scale = np.float32(self.loss_scale_factor)
            gradients = [gradient / scale for gradient in gradients]
        if self._gradient_sums:
            gradients = accumulate(
                gradients,
                self._slots_of(self._gradient_sums, updated),
                self._gradient_sums,
                self.gradient_accumulation_steps or 1,
                self._calls,
            )
        if gradients:
            self._update(gradients, updated)
        if self.use_ema:
            self._average()
        for variable in updated:
            if variable.constraint is not None:
                variable.assign(variable.constraint(variable.value))
        self._calls += 1

    def apply_gradients(self, grads_and_vars: Iterable[tuple[np.ndarray | None, Variable]]) -> int:
        """Update variables by pairs of gradient and variable.

        Args:
            grads_and_vars: The pairs; a variable whose gradient is None stays as it is.

        Returns:
            The number of updates so far, `iterations`.

        Raises:
            ValueError: As `apply`.
        """
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
        self._undecayed = [*(var_list or ()), *map(re.compile, var_names or ())]

    def _is_excluded(self, variable: Variable) -> bool:
        return any(
            each.search(variable.name) is not None
            if isinstance(each, re.Pattern)
            else each is variable
            for each in self._undecayed
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Copies of the variables have other identities.
        vars(self).update(state)
        self._index = {id(variable): i for i, variable in enumerate(self._trainable_variables)}

    def scale_loss(self, loss: Any) -> Any:
        """Return a loss, or a gradient of it, times `loss_scale_factor`, as `apply` expects it.

        Args:
            loss: Number or array.
        """
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """Put the moving averages, if there are any, in the place of the variables.

        `fit` calls this at its end.

        Args:
            var_list: The variables of `build`.

        Raises:
            ValueError: If there are more or fewer variables than averages.
        """
        if not self.use_ema or self._calls == 0:
            return
        if len(var_list) != len(self._averages):
            raise ValueError(
                f"`var_list` must be the {len(self._averages)} variables that the optimizer was "
                f"built with. Received: {len(var_list)} variables"
            )
        averaging.overwrite(var_list, self._averages)

    @property
    def iterations(self) -> IterationsValue:
        """Number of updates so far; it has `numpy()` and `assign()`."""
        made: IterationsValue = IterationsValue(self._updates)._of(
            f"{self.name}/iteration", self._set_iterations
        )
        return made

    @iterations.setter
    def iterations(self, iterations: int) -> None:
        self._set_iterations(iterations)

    @property
    def _updates(self) -> int:
        return self._calls // (self.gradient_accumulation_steps or 1)

    def _set_iterations(self, iterations: Any) -> None:
        count = check_integer("iterations", plain(iterations), 0)
        self._calls = count * (self.gradient_accumulation_steps or 1)

    @property
    def learning_rate(self) -> LearningRateValue:
        """Learning rate of the next update; can be set, also by `assign()`, if not a schedule."""
        made: LearningRateValue = LearningRateValue(self._rate())._of(
            f"{self.name}/learning_rate", self._set_learning_rate
        )
        return made

    @learning_rate.setter
    def learning_rate(self, learning_rate: LearningRate) -> None:
        self._set_learning_rate(learning_rate)

    def _rate(self) -> float:
        if isinstance(self._learning_rate, LearningRateSchedule):
            return float(self._learning_rate(self._calls))
        if callable(self._learning_rate):
            return float(self._learning_rate())
        return self._learning_rate

    def _set_learning_rate(self, learning_rate: Any) -> None:
        learning_rate = plain(learning_rate)
        checked = check_learning_rate(learning_rate)
        if isinstance(self._learning_rate, LearningRateSchedule) and not callable(checked):
            raise TypeError(
                "The learning rate of an optimizer made with a `LearningRateSchedule` can only be "
                f"set to another schedule. Received: learning_rate={learning_rate!r}"
            )
        self._learning_rate = checked

    @property
    def variables(self) -> list[Any]:
        """Number of calls of `apply`, the learning rate if it is a number, then the slots."""
        calls = IterationsValue(self._calls)._of(f"{self.name}/iteration", self._set_calls)
        rates = [self.learning_rate] if isinstance(self._learning_rate, float) else []
        return [calls, *rates, *self._slots]

    def _set_calls(self, calls: Any) -> None:
        self._calls = check_integer("iterations", plain(calls), 0)

    @property
    def slots(self) -> list[Variable]:
        """What `build` made for each variable, such as momentums, in Keras's order."""
        return list(self._slots)

    def save_own_variables(self, store: MutableMapping[str, np.ndarray]) -> None:
        """Write the state under "0", "1", ... as Keras's files hold it.

        That is the number of calls of `apply`, the learning rate if it is a number, the slots.

        Args:
            store: Dict, or group of an HDF5 file, that the arrays are put into.
        """
        state: list[Any] = [np.int64(self._calls)]
        if isinstance(self._learning_rate, float):
            state.append(np.float32(self._learning_rate))
        state.extend(slot.value for slot in self._slots)
        for i, value in enumerate(state):
            store[str(i)] = np.asarray(value)

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Read back what `save_own_variables` wrote, into an optimizer that is built.

        Args:
            store: What `save_own_variables` filled.

        Raises:
            ValueError: If there is more or less in the store than the optimizer has; nothing is
                changed then.
        """
        first_slot = 2 if isinstance(self._learning_rate, float) else 1
        if len(store.keys()) != first_slot + len(self._slots):
            raise ValueError(
                f"The state of optimizer `{self.name}` has {first_slot + len(self._slots)} "
                f"variables{'' if self.built else ' before it is built'}. "
                f"Received: {len(store.keys())} variables"
            )
        self._calls = int(np.asarray(store["0"]))
        if first_slot == 2:
            self.learning_rate = float(np.asarray(store["1"]))
        for i, slot in enumerate(self._slots, start=first_slot):
            slot.assign(store[str(i)])

    def get_state(self) -> dict[str, Any]:
        """Return what `save_own_variables` writes, for `callbacks.BackupAndRestore`.

        An optimizer of yours that keeps more than slots overrides this and `set_state`.
        """
        store: dict[str, np.ndarray] = {}
        self.save_own_variables(store)
        return store

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Bring back what `get_state` returned, in an optimizer that is built.

        Args:
            state: The dict that `get_state` returned.
        """
        self.load_own_variables(state)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; of a function as learning rate its present value."""
        config = super().get_config() | {"learning_rate": self._rate()}
        if isinstance(self._learning_rate, LearningRateSchedule):
            config["learning_rate"] = schedules.serialize(self._learning_rate)
        return config

    def _update(self, gradients: list[np.ndarray], variables: list[Variable]) -> None:
        gradients = clipping.clip(gradients, self.clipnorm, self.clipvalue, self.global_clipnorm)
        learning_rate = np.float32(self._rate())
        decay = 0.0 if self.weight_decay is None else self.weight_decay * float(learning_rate)
        self.begin_step(learning_rate)
        decays = [0.0] * len(variables)
        if decay:
            decays = [decay * self._decays[self._index[id(each)]] for each in variables]
        self._update_steps(gradients, variables, learning_rate, decays)

    def _average(self) -> None:
        # The averages start as the first weights, not at zero.
        momentum = self.ema_momentum if self._updates else 0.0
        averaging.update_averages(self._averages, self._trainable_variables, momentum)
        frequency = self.ema_overwrite_frequency
        if frequency and (self._updates + 1) % frequency == 0:
            averaging.overwrite(self._trainable_variables, self._averages)
