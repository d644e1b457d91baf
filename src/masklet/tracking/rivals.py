"""Objects that look alike and pass each other: who gets what they claim.

A network tells things apart by their looks. Of twins that part again after one hid the other it gives both to one, or
swaps them. Here, where twins meet, their claims only say what belongs to either; whose it is, the places say where
each should be (see ``places``). What an object claims far from its place, and where a twin should be, goes to that one.
Source: ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor

from masklet.geometry import Box
from masklet.tracking.bank import MemoryBank, MemoryEntry
from masklet.tracking.mask_scores import trimmed_boxes_of
from masklet.tracking.places import Place, expected_places, fitted
from masklet.tracking.policy import LOST_LOGIT, Moment, without_rivals

ALIKE = 0.75
"""Cosine of the looks of two objects from which on one may be taken for the other."""
_LATELY = 4
"""Frames that say what an object looks like now."""
_CLEAR = 0.5  # predicted IoU of masks that show enough of it
STRAY = 0.02
"""Share of a mask's cells on each side that say nothing of where it ends."""
_MARGIN = 0.15  # of their size: so near to each other do twins meet
_SHARED = 0.1  # of the smaller claim
_TOO_MUCH, _MUCH = 1.25, 1.12  # of its size
_TOLERANCE = 0.12  # of its size: so far outside its place may an object's claim lie
_STRAYS = 0.1  # of its size: so much farther off may it come back, for each frame it was unseen
_RETURNS = 0.3  # of its place: less of it does not bring back an object that was missed
_SURE = 8.0  # logit of every claim of twins that meet
_PENALTY = 20.0  # logits for a whole size outside the place
_BEFORE = 6.0  # logits for each twin that stands behind
_LEAST_STEP = 0.01  # of the image's height, from one twin's foot to that of the one before it
_LEAST_SHARE = 0.03  # of its place, to bring back an object that nobody saw


@dataclass(frozen=True, slots=True)
class Settled:
    """What each object is left with.

    Attributes:
        logits: Masks (b, h4, w4).
        was_given: Objects (b,) that got what others claimed.
    """

    logits: Tensor
    was_given: Tensor


def settle(
    logits: Float[Tensor, "b h w"], banks: Sequence[MemoryBank], moment: Moment, *, num_looks: int | None
) -> Settled:
    """Give each cell to one object.

    Args:
        logits: What each object claims.
        banks: Memory of each object.
        moment: Where tracking stands.
        num_looks: Leading channels of memory features that tell what an object looks like; None for models whose
            memory does not say so, which know no twins.
    """
    alike = look_alike(banks, num_looks).to(logits.device)
    if not bool(alike.any()):
        nothing = torch.zeros(len(logits), dtype=torch.bool, device=logits.device)
        return Settled(without_rivals(logits), nothing)
    expected = expected_places(banks, moment.age)
    is_on = logits > 0
    meets = _meetings(expected, alike) & _in_dispute(is_on, expected)
    # of twins that meet, each may own what any of them claims
    may_own = is_on | (torch.einsum("ij,jhw->ihw", meets.float(), is_on.float()) > 0)
    places = _look_again(expected, trimmed_boxes_of(may_own.float(), STRAY), meets)
    outside = torch.stack([_outside(place, logits) for place in places])
    sureness = _sureness(logits, places, outside, alike, meets)
    owner = torch.where(may_own, sureness, -torch.inf).argmax(dim=0)
    owner = _passed_on(owner, is_on, places, outside, alike)
    rows = torch.arange(len(logits), device=logits.device)[:, None, None]
    is_mine = (owner[None] == rows) & is_on.any(dim=0)
    is_mine &= ~(_is_odd(is_on, places, _MUCH) & alike.any(dim=1))[:, None, None] | (outside <= _TOLERANCE)
    is_mine &= _may_return(is_mine, places, outside, _ages_unseen(banks, moment), alike)
    settled = torch.where(is_mine, logits.amax(dim=0, keepdim=True), logits.clamp(max=LOST_LOGIT))
    return Settled(settled, (is_mine & ~is_on).flatten(1).any(dim=1))


def _ages_unseen(banks: Sequence[MemoryBank], moment: Moment) -> list[int]:
    """Frames since each object was last seen, were it a sliver; 1 for the frame before, and for those never seen."""
    known = [(*bank.conditioning.values(), *bank.recent) for bank in banks]
    ages = [[moment.age(entry.frame) for entry in entries if entry.box is not None] for entries in known]
    return [min((age for age in one if age >= 1), default=1) for one in ages]


def look_alike(banks: Sequence[MemoryBank], num_looks: int | None) -> Bool[Tensor, "b b"]:
    """Which objects may be taken for each other, by what they looked like when pointed out, or lately.

    Light and ground change looks: twins that a person pointed out in different places become alike when they meet.
    """
    alike = torch.zeros(len(banks), len(banks), dtype=torch.bool)
    if num_looks is None:
        return alike
    looks = [_looks(bank, num_looks) for bank in banks]
    for one, own in enumerate(looks):
        for other, others in enumerate(looks[:one]):
            is_alike = any(bool((look * another).sum() >= ALIKE) for look in own for another in others)
            alike[one, other] = alike[other, one] = is_alike
    return alike


def _looks(bank: MemoryBank, num_looks: int) -> list[Tensor]:
    """Features under the mask of the newest prompted frame, and mean ones of the last frames, of length 1 each."""
    prompted = [entry for entry in bank.conditioning.values() if entry.box is not None]
    recent = [entry for entry in bank.recent if entry.box is not None and entry.score.iou >= _CLEAR][
        -_LATELY:
    ]
    newest = [max(prompted, key=lambda one: one.frame)] if prompted else []
    return [_look(entries, num_looks) for entries in (newest, recent) if entries]


def _look(entries: Sequence[MemoryEntry], num_looks: int) -> Tensor:
    total = torch.zeros(num_looks)
    for entry in entries:
        features = entry.features[:num_looks].float()
        inside = (entry.logits[None, None] > 0).float()
        weights = F.adaptive_avg_pool2d(inside, (features.shape[-2], features.shape[-1]))[0, 0]
        total += F.normalize((features * weights).sum(dim=(1, 2)), dim=0).cpu()
    return F.normalize(total, dim=0)


def _meetings(places: Sequence[Place | None], alike: Bool[Tensor, "b b"]) -> Bool[Tensor, "b b"]:
    """Which twins should touch or hide each other now."""
    meets = torch.zeros_like(alike)
    for one, place in enumerate(places):
        for other, another in enumerate(places):
            if place is not None and another is not None and bool(alike[one, other]):
                meets[one, other] = place.enlarged(_MARGIN).iou(another.enlarged(_MARGIN)) > 0
    return meets


def _in_dispute(is_on: Bool[Tensor, "b h w"], places: Sequence[Place | None]) -> Bool[Tensor, "b b"]:
    """Whose claims cannot all be right: those of two that share cells, of one in another's place, too large, or none."""
    areas = is_on.flatten(1).sum(dim=1).float()
    shared = torch.einsum("ihw,jhw->ij", is_on.float(), is_on.float())
    in_dispute = shared > _SHARED * torch.minimum(areas[:, None], areas[None])
    inside = torch.stack([_outside(place, is_on) <= 0 for place in places])
    held = torch.einsum("ihw,jhw->ij", is_on.float(), inside.float())  # of each claim, in each place
    is_elsewhere = held.amax(dim=1) > 2 * held.diagonal()
    is_odd = _is_odd(is_on, places, _TOO_MUCH) | is_elsewhere
    return in_dispute | is_odd[:, None] | is_odd[None]


def _is_odd(is_on: Bool[Tensor, "b h w"], places: Sequence[Place | None], ratio: float) -> Bool[Tensor, " b"]:
    """Who claims nothing, or something larger by a ratio than the object is."""
    boxes = trimmed_boxes_of(is_on.float(), STRAY)
    odd = [
        box is None or (place is not None and place.is_exceeded_by(box, ratio))
        for box, place in zip(boxes, places, strict=True)
    ]
    return torch.tensor(odd, device=is_on.device)


def _look_again(
    places: Sequence[Place | None], claims: Sequence[Box | None], meets: Bool[Tensor, "b b"]
) -> list[Place | None]:
    """Places after a look at what is claimed now; who stands behind a twin is believed to be where it should be."""
    looked: list[Place | None] = []
    for index, (place, claim) in enumerate(zip(places, claims, strict=True)):
        others = [(at, other) for at, other in enumerate(places) if at != index and other is not None]
        is_behind = place is not None and any(
            bool(meets[index, at]) and _is_before(other, place) for at, other in others
        )
        if place is None or claim is None or is_behind:
            looked.append(place)
        else:
            looked.append(fitted(place, claim, [other.box for _, other in others]))
    return looked


def _is_before(one: Place, other: Place) -> bool:
    """Whether one stands nearer: of two of one kind it is the one whose foot is lower in the image."""
    return one.box.y1 > other.box.y1 + _LEAST_STEP


def _sureness(
    logits: Float[Tensor, "b h w"],
    places: Sequence[Place | None],
    outside: Float[Tensor, "b h w"],
    alike: Bool[Tensor, "b b"],
    meets: Bool[Tensor, "b b"],
) -> Float[Tensor, "b h w"]:
    """How strong each object's claim on each cell is, were it to make one."""
    is_meeting = meets.any(dim=1)[:, None, None]
    num_behind = torch.zeros(len(places), 1, 1, device=logits.device)
    for one, place in enumerate(places):
        for other, another in enumerate(places):
            if place is not None and another is not None and bool(meets[one, other]):
                num_behind[one] += _is_before(place, another)
    claim = torch.where(is_meeting, _SURE + _BEFORE * num_behind * (outside <= 0), logits)
    tolerated = outside - torch.where(is_meeting, 0.0, _TOLERANCE)
    return claim - _PENALTY * tolerated.clamp(min=0) * alike.any(dim=1)[:, None, None]


def _may_return(
    is_mine: Bool[Tensor, "b h w"],
    places: Sequence[Place | None],
    outside: Float[Tensor, "b h w"],
    ages: Sequence[int],
    alike: Bool[Tensor, "b b"],
) -> Bool[Tensor, "b h w"]:
    """Cells an object may have: one that was missed comes back near its place, and not as a sliver."""
    may = torch.ones_like(is_mine)
    for index, (place, age) in enumerate(zip(places, ages, strict=True)):
        if age > 1 and place is not None and bool(alike[index].any()):
            may[index] = outside[index] <= _TOLERANCE + _STRAYS * (age - 1)
            share = float((is_mine[index] & may[index]).sum()) / may[index].numel()
            may[index] &= share >= _RETURNS * place.box.area
    return may


def _passed_on(
    owner: Int[Tensor, "h w"],
    is_on: Bool[Tensor, "b h w"],
    places: Sequence[Place | None],
    outside: Float[Tensor, "b h w"],
    alike: Bool[Tensor, "b b"],
) -> Int[Tensor, "h w"]:
    """Owners after cells far from their owner's place went to the twin that should be right there."""
    nearest, heir = torch.where(alike[owner].permute(2, 0, 1), outside, torch.inf).min(dim=0)
    is_far = outside.gather(0, owner[None])[0] > _TOLERANCE
    may_pass = is_on.any(dim=0) & is_far & (nearest <= 0)
    passed = owner
    for index, place in enumerate(places):
        share = may_pass & (heir == index)
        if place is None or not bool(share.any()):
            continue
        # an object that nobody saw is not brought back by a sliver
        if bool(is_on[index].any()) or float(share.sum()) >= _LEAST_SHARE * place.box.area * share.numel():
            passed = torch.where(share, index, passed)
    return passed


def _outside(place: Place | None, like: Shaped[Tensor, "b h w"]) -> Float[Tensor, "h w"]:
    """How far each cell lies outside a place, in shares of its size; 0 everywhere where no place is known."""
    height, width = like.shape[-2:]
    if place is None:
        return torch.zeros(height, width, device=like.device)
    xs = (torch.arange(width, device=like.device) + 0.5) / width
    ys = (torch.arange(height, device=like.device) + 0.5) / height
    across = (xs - place.x.centre).abs() / place.x.size - 0.5
    down = (ys - place.y.centre).abs() / place.y.size - 0.5
    return torch.maximum(across[None, :], down[:, None]).clamp(min=0)
