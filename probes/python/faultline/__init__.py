"""Records what crosses the boundaries of a training run, for `faultline check`."""

from .probe import Probe, probe

__all__ = ["Probe", "probe"]
__version__ = "0.1.0"
