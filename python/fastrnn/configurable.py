"""Objects that the arguments of their constructor describe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self


class Configurable:
    """Base of layers, losses, metrics, optimizers and the like: these arguments are its config."""

    config_arguments: tuple[str, ...] = ()
    """The arguments in the config, each of which is also an attribute."""

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {name: getattr(self, name) for name in self.config_arguments}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Make an object, without weights and state, from the result of `get_config`.

        Args:
            config: Dict of the constructor's arguments.

        Returns:
            The object.
        """
        return cls(**config)
