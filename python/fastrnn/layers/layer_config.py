"""A layer as the arguments of its constructor, and back."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fastrnn import dtype_policies, regularizers
from fastrnn.configurable import Configurable
from fastrnn.layers.arguments import plain_value
from fastrnn.layers.overrides import is_of_fastrnn
from fastrnn.layers.weight_owner import WeightOwner

if TYPE_CHECKING:
    from typing_extensions import Self


class LayerConfig(WeightOwner, Configurable):
    """Base of all layers: their configs.

    Attributes:
        activity_regularizer: Adds a penalty on the output to the loss.
    """

    activity_regularizer: regularizers.Regularizer | None
    _trainable: bool
    _dtype_policy = dtype_policies.DTypePolicy("float32")  # of pickles that have none

    @property
    def dtype_policy(self) -> dtype_policies.DTypePolicy:
        """The policy of dtypes that the layer was made with."""
        return self._dtype_policy

    @property
    def compute_dtype(self) -> str:
        """Dtype of what the kernels multiply, by the policy: "float32" or "bfloat16"."""
        return self._dtype_policy.compute_dtype

    @property
    def variable_dtype(self) -> str:
        """Dtype of the weights: "float32"."""
        return self._dtype_policy.variable_dtype

    @property
    def dtype(self) -> str:
        """The same as `variable_dtype`."""
        return self.variable_dtype

    @classmethod
    def _argument_names(cls) -> list[str]:
        """Names of the constructor's own arguments; each is also an attribute of the layer.

        A user's class that takes `*args` or `**kwargs` hands them on: the arguments of the class
        above are its own too.
        """
        no_attributes = ("dtype", "autocast")  # of all layers; `dtype` is in every config
        rest = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        names: list[str] = []
        for each in cls.__mro__:
            if "__init__" not in vars(each):
                continue
            parameters = inspect.signature(each).parameters.values()
            names += [p.name for p in parameters if p.kind not in rest and p.name not in names]
            if is_of_fastrnn(each) or not any(p.kind in rest for p in parameters):
                break
        return [name for name in names if name not in no_attributes]

    def _shared_config(self) -> dict[str, Any]:
        """Return the part of the config that does not depend on the class."""
        config = {"name": self.name, "trainable": self.trainable, "dtype": self._dtype_config()}
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        return config

    def _dtype_config(self) -> Any:
        """Return the policy as it stands in configs: by its name where it is the default one."""
        policy = self._dtype_policy
        return policy.name if policy.name == "float32" else dtype_policies.serialize(policy)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values, in Keras's form."""
        names = self._argument_names()
        if missing := [name for name in names if not hasattr(self, name)]:
            raise ValueError(
                f"`get_config` of {type(self).__name__} must be overridden, or the layer must keep "
                f"the arguments of its constructor as attributes. Received: no attribute {missing}"
            )
        return self._shared_config() | {name: plain_value(getattr(self, name)) for name in names}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Make a layer, without weights, from the result of `get_config` (Keras's works too).

        Args:
            config: Dict of the constructor's arguments.

        Returns:
            The layer. Layers inside have the `trainable` of their own configs.
        """
        return cls._with_flag(config.get("trainable"), lambda flag: cls(**(config | flag)))

    @classmethod
    def _with_flag(cls, trainable: Any, make: Callable[[dict[str, Any]], Self]) -> Self:
        """Make a layer of which only itself is frozen, where `trainable` is False.

        Args:
            trainable: What its config says; None for nothing.
            make: Function of the constructor's argument `trainable` in a dict, if there is one.
        """
        if trainable is not False:
            return make({} if trainable is None else {"trainable": trainable})
        layer = make({"trainable": True})
        layer._trainable = False
        return layer
