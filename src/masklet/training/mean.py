"""The mean of two models of one shape, as a whole or part by part.

Source: weights of one run at two moments have a common mean that is often better than both (Izmailov et al. 2018;
Wortsman et al. 2022).
"""

from __future__ import annotations

from collections.abc import Sequence

from masklet.errors import ConfigError
from masklet.models.model import SegmentationModel


def mean_of(
    before: SegmentationModel, after: SegmentationModel, share: float, *, kept: Sequence[str] = ()
) -> None:
    """Put the mean of both into ``after``.

    Args:
        before: One model.
        after: The other, of the same configuration; its weights change.
        share: Of ``after`` in the mean, from 0 to 1.
        kept: Parts, such as "decoder", that are those of ``before``.

    Raises:
        ConfigError: When the configurations differ, the share is none, or the models have no such part.
    """
    if before.config != after.config:
        raise ConfigError("The two models are built differently; a mean needs the same configuration.")
    if not 0 <= share <= 1:
        raise ConfigError(f"The share must be from 0 to 1, got {share:g}.")
    parts = [name for name, _ in after.named_children()]
    for name in kept:
        if name not in parts:
            raise ConfigError(f"The models have no part {name!r}; their parts are {', '.join(parts)}.")
    own, mixed = before.state_dict(), after.state_dict()
    for name, value in own.items():
        if value.is_floating_point():
            weight = 0.0 if name.partition(".")[0] in kept else share
            mixed[name] = value * (1 - weight) + mixed[name] * weight
    after.load_state_dict(mixed)
