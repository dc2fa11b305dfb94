"""More than one model, more than one machine."""

from fastrnn.distribution.fit_many import fit_many

__all__ = ["fit_many"]
