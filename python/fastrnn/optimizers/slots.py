"""What optimizers keep for each variable, such as momentum: their slots."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastrnn.variable import Variable


class SlotOwner:
    """Makes slots; also by the methods that classes written for Keras 3 call.

    Attributes:
        name: Name of the optimizer.
        built: Whether `build` has run.
    """

    name: str
    built: bool
    _index: dict[int, int]
    _slots: list[Variable]
    _trainable_variables: list[Variable]

    def add_slots(self, *names: str, value: float = 0.0) -> tuple[list[np.ndarray], ...]:
        """Make slots, one of each name for each variable.

        Args:
            *names: What the slots are, such as `"momentum"`.
            value: What every element starts at.

        Returns:
            For each name, the arrays in the order of the variables.
        """
        made: tuple[list[np.ndarray], ...] = tuple([] for _ in names)
        # Name after name for each variable: Keras's order of `variables`, hence of its files.
        try:
            for variable in self._trainable_variables:
                for name, arrays in zip(names, made, strict=True):
                    short = f"{variable.path.replace('/', '_')}_{name}"
                    arrays.append(self.add_slot(np.full(variable.shape, value), short))
        except MemoryError:  # then `build` has to begin anew
            self.built = False
            self._slots.clear()
            raise
        return made

    def add_slot(self, value: npt.ArrayLike, name: str) -> np.ndarray:
        """Make one slot, of any shape.

        Args:
            value: What it starts at.
            name: Its name within the optimizer.

        Returns:
            The slot's array.
        """
        slot = Variable(value, trainable=False, name=name, path=f"{self.name}/{name}")
        self._slots.append(slot)
        return slot.value

    def index_of(self, variable: Variable) -> int:
        """Return the place of a variable among those of `build`.

        Args:
            variable: One of them.
        """
        return self._index[id(variable)]

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """Make a slot of the shape of a variable, as optimizers written for Keras do.

        Args:
            reference_variable: The variable.
            name: What the slot is, such as `"momentum"`.
            initializer: What it starts with, `"zeros"` or `"ones"`.

        Returns:
            The slot, with `assign`, `assign_add` and `assign_sub`.

        Raises:
            ValueError: If `initializer` is another one.
        """
        starts = {"zeros": 0.0, "ones": 1.0}
        if initializer not in starts:
            raise ValueError(
                f"`initializer` must be 'zeros' or 'ones'. Received: initializer={initializer!r}"
            )
        short = f"{reference_variable.path.replace('/', '_')}_{name or 'slot'}"
        self.add_slot(np.full(reference_variable.shape, starts[initializer]), short)
        return self._slots[-1]

    def assign(self, variable: Variable, value: Any) -> None:
        """Overwrite a variable.

        Args:
            variable: A variable or slot.
            value: Its new contents.
        """
        variable.assign(value)

    def assign_add(self, variable: Variable, value: Any) -> None:
        """Add to a variable.

        Args:
            variable: A variable or slot.
            value: What to add.
        """
        variable.assign_add(value)

    def assign_sub(self, variable: Variable, value: Any) -> None:
        """Subtract from a variable.

        Args:
            variable: A variable or slot.
            value: What to subtract.
        """
        variable.assign_sub(value)

    def _get_variable_index(self, variable: Variable) -> int:
        return self.index_of(variable)
