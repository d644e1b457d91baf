"""What the tests of speed run in processes of their own: it is imported there by its name."""

import numpy as np

from masklet.errors import ConfigError
from masklet.evaluation.speed import Ready


def steps(length, _num_objects):
    for _ in range(length):
        yield None


def filling(length, _num_objects):
    """Takes 200 MiB of memory."""
    held = np.ones(200 * 2**20, np.uint8)
    for _ in range(length):
        yield None
    held[0] = 0


def light():
    return Ready(follow=steps, device="cpu")


def heavy():
    return Ready(follow=filling, device="cpu")


def refused():
    raise ConfigError("There is no such model.")


def ended():
    raise SystemExit(3)
