"""Free ports on loopback, so that two runs of the tests can live side by side: the demo's own way."""

from demo.ports import free_port

__all__ = ["free_port"]
