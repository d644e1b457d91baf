"""One frame with its effects: the backdrop, the objects cut out of the frame over it, then what each object gets.

Order: the background effect; effects around objects (burst, spotlight), once for all objects with the same choice, by
lowest id; effects on objects, by rising id, so that the highest id lies on top.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from masklet.effects.arithmetic import mix
from masklet.effects.base import Alpha, Image, Layer, Mask, ObjectEffect, Scene, Values
from masklet.effects.edges import soft_alpha
from masklet.effects.erase import CHECKER, shows_behind
from masklet.effects.plate import clean_plate
from masklet.effects.settings import EffectSettings, background_of, object_of
from masklet.errors import EffectError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Chosen:
    """An object that is in the picture, with its effect."""

    object_id: int
    mask: Mask
    effect: ObjectEffect
    values: Values


def compose(frame: Image, masks: Mapping[int, Mask], settings: EffectSettings, index: int) -> Image:
    """A frame with its effects.

    Args:
        frame: RGB uint8 (h, w, 3), not changed.
        masks: bool (h, w) by object id; empty ones are passed over.
        settings: Which effects.
        index: Frame index from 0; what moves, moves with it.

    Returns:
        RGB uint8 (h, w, 3), a new image.

    Raises:
        EffectError: When frame and masks do not fit each other.
    """
    _check(frame, masks)
    chosen = _choose(masks, settings)
    objects = _union([one.mask for one in chosen], frame.shape)
    shown = _union([one.mask for one in chosen if not one.effect.is_removal], frame.shape)
    scene = Scene(frame=frame, shown=shown, index=index, seed=settings.seed)
    effect, values = background_of(settings.background)
    is_plate_needed = effect.mixes_neighbours or any(
        one.effect.is_removal and shows_behind(one.values) for one in chosen
    )
    ground = clean_plate(frame, objects) if is_plate_needed else frame
    backdrop = effect.render(ground, scene, values)
    canvas = mix(backdrop, frame, soft_alpha(objects))
    for layer, one in _layers(chosen, scene, backdrop):
        canvas = one.effect.render(canvas, layer, one.values)
    return canvas


def matte(masks: Mapping[int, Mask], settings: EffectSettings, shape: tuple[int, int]) -> Alpha:
    """Opacity of a composed frame for files that can hold it: 255 unless the background is erased to nothing.

    Args:
        masks: bool (h, w) by object id.
        settings: Which effects.
        shape: (h, w).
    """
    effect, values = background_of(settings.background)
    if effect.id != "erase" or values["fill"] != CHECKER:
        return np.full(shape, 255, dtype=np.uint8)
    kept = [one.mask for one in _choose(masks, settings) if not one.effect.is_removal]
    return soft_alpha(_union(kept, shape))


def _choose(masks: Mapping[int, Mask], settings: EffectSettings) -> list[_Chosen]:
    chosen: list[_Chosen] = []
    for object_id in sorted(masks):
        if masks[object_id].any():
            effect, values = object_of(settings.choice_for(object_id))
            chosen.append(_Chosen(object_id=object_id, mask=masks[object_id], effect=effect, values=values))
    return chosen


def _layers(chosen: list[_Chosen], scene: Scene, backdrop: Image) -> list[tuple[Layer, _Chosen]]:
    """What is drawn, in order."""
    around: list[tuple[_Chosen, list[Mask]]] = []
    for one in (one for one in chosen if one.effect.is_around):
        same = [masks for first, masks in around if (first.effect, first.values) == (one.effect, one.values)]
        if same:
            same[0].append(one.mask)
        else:
            around.append((one, [one.mask]))
    grouped = [(one, _union(masks, scene.frame.shape)) for one, masks in around]
    single = [(one, one.mask) for one in chosen if not one.effect.is_around]
    return [
        (Layer(scene=scene, backdrop=backdrop, mask=mask, object_id=one.object_id), one)
        for one, mask in [*grouped, *single]
    ]


def _union(masks: list[Mask], shape: tuple[int, ...]) -> Mask:
    union = np.zeros(shape[:2], dtype=np.bool_)
    for mask in masks:
        union |= mask
    return union


def _check(frame: Image, masks: Mapping[int, Mask]) -> None:
    if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3 or frame.size == 0:
        raise EffectError(
            f"A frame must be RGB uint8 of shape (h, w, 3), got {frame.dtype} of shape {frame.shape}."
        )
    for object_id, mask in masks.items():
        if mask.dtype != np.bool_ or mask.shape != frame.shape[:2]:
            raise EffectError(
                f"The mask of object {object_id} must be bool {frame.shape[:2]}, got {mask.dtype} {mask.shape}; "
                "resize it first."
            )
