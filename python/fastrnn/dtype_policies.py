"""Policies of dtypes: in which one a layer keeps its weights, and in which it multiplies.

"float32" is the policy of all layers unless another is set. With "mixed_bfloat16" the recurrent
layers round what their kernels multiply to bfloat16, which has 8 bits of precision in place of 24
and the range of float32. That takes about half the time on CPUs with AVX512-BF16. Weights, states,
sums, gates, gradients, optimizers and the outputs of layers stay float32. Layers of other kinds
compute in float32 under either policy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = [
    "DTypePolicy",
    "FloatDTypePolicy",
    "deserialize",
    "dtype_policy",
    "get",
    "serialize",
    "set_dtype_policy",
]

_COMPUTE_DTYPES = {"float32": "float32", "mixed_bfloat16": "bfloat16"}


class DTypePolicy:
    """A policy by its name.

    Args:
        name: "float32" or "mixed_bfloat16"; None for the name of the global policy. There is no
            "mixed_float16": its gradients would need a scaled loss, and CPUs gain nothing by it.

    Raises:
        ValueError: If it is another name.

    Example:
        >>> policy = DTypePolicy("mixed_bfloat16")
        >>> policy.compute_dtype, policy.variable_dtype
        ('bfloat16', 'float32')
        >>> from fastrnn import layers
        >>> layers.LSTM(50, dtype=policy).compute_dtype
        'bfloat16'
    """

    def __init__(self, name: str | None = None) -> None:
        name = dtype_policy().name if name is None else name
        if not isinstance(name, str) or name not in _COMPUTE_DTYPES:
            raise ValueError(
                "The name of a dtype policy must be 'float32' or 'mixed_bfloat16'. "
                f"Received: name={name!r}"
            )
        self._name = name

    @property
    def name(self) -> str:
        """Name of the policy."""
        return self._name

    @property
    def compute_dtype(self) -> str:
        """Dtype of what the kernels multiply: "float32" or "bfloat16"."""
        return _COMPUTE_DTYPES[self._name]

    @property
    def variable_dtype(self) -> str:
        """Dtype of the weights: "float32"."""
        return "float32"

    @property
    def quantization_mode(self) -> None:
        """None: nothing is quantized."""
        return None

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"name": self._name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> DTypePolicy:
        """Make a policy from the result of `get_config`.

        Args:
            config: Dict with `name`.

        Returns:
            The policy.
        """
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DTypePolicy) and self._name == other._name

    def __hash__(self) -> int:
        return hash(self._name)

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self._name}">'


FloatDTypePolicy = DTypePolicy

_global_policy = DTypePolicy("float32")


def dtype_policy() -> DTypePolicy:
    """Return the global policy: that of layers that are made without a `dtype`.

    Returns:
        A `DTypePolicy`.

    Example:
        >>> from fastrnn import config
        >>> config.dtype_policy()
        <DTypePolicy "float32">
    """
    return _global_policy


def set_dtype_policy(policy: str | DTypePolicy) -> None:
    """Set the policy of layers that are made from now on without a `dtype`, in all threads.

    Layers that exist keep theirs. `backend.clear_session` sets "float32" again, as in Keras.

    Args:
        policy: "float32", "mixed_bfloat16" or a `DTypePolicy`.

    Raises:
        ValueError: If it is something else.

    Example:
        >>> from fastrnn import config, layers
        >>> config.set_dtype_policy("mixed_bfloat16")
        >>> layers.GRU(3).dtype_policy
        <DTypePolicy "mixed_bfloat16">
        >>> config.set_dtype_policy("float32")
    """
    global _global_policy
    if not isinstance(policy, (str, DTypePolicy)):
        raise ValueError(
            f"`policy` must be the name of a policy or a DTypePolicy. Received: policy={policy!r}"
        )
    _global_policy = get(policy)


def get(identifier: Any) -> DTypePolicy:
    """Look up a policy.

    Args:
        identifier: Name of a policy, a `DTypePolicy` or its config, NumPy's float32, or None for
            the global policy.

    Returns:
        A `DTypePolicy`.

    Raises:
        ValueError: If it is none of these.

    Example:
        >>> get("mixed_bfloat16")
        <DTypePolicy "mixed_bfloat16">
    """
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    name = identifier
    if isinstance(identifier, dict):
        config = identifier.get("config")
        name = config.get("name") if isinstance(config, dict) else None
    elif identifier in (np.float32, np.dtype(np.float32)):
        name = "float32"
    if not isinstance(name, str) or name not in _COMPUTE_DTYPES:
        raise ValueError(
            "`dtype` must be 'float32', 'mixed_bfloat16', a DTypePolicy of one of these names or "
            f"None. Received: dtype={identifier!r}"
        )
    return DTypePolicy(name)


def serialize(policy: DTypePolicy) -> dict[str, Any]:
    """Return a policy as plain values, in Keras's form.

    Args:
        policy: A `DTypePolicy`.

    Returns:
        A dict.

    Example:
        >>> serialize(DTypePolicy("float32"))["config"]
        {'name': 'float32'}
    """
    return {
        "module": "keras",
        "class_name": "DTypePolicy",
        "config": policy.get_config(),
        "registered_name": None,
    }


def deserialize(config: dict[str, Any], custom_objects: Any = None) -> DTypePolicy:
    """Make a policy from the result of `serialize` (Keras's works too).

    Args:
        config: Dict with `config`.
        custom_objects: Accepted for Keras's sake; without effect.

    Returns:
        A `DTypePolicy`.

    Raises:
        ValueError: If it names another policy.

    Example:
        >>> deserialize(serialize(DTypePolicy("mixed_bfloat16")))
        <DTypePolicy "mixed_bfloat16">
    """
    return get(config)
