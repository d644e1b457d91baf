"""What several objects read of their memories on one frame, as batches.

Pure functions of banks; objects that remember the same frames share what comes from the frames alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from masklet.models.config import AffinityMemoryConfig, ModelConfig
from masklet.models.mask_carry import MASK_CHANNELS
from masklet.models.memory_batch import MemoryBatch
from masklet.tracking.bank import MemoryBank
from masklet.tracking.policy import Attended, Moment


def collect_memory(
    attended: Sequence[Attended],
    moment: Moment,
    *,
    pointer_span: int,
    dtype: torch.dtype,
    device: torch.device,
    own_channels: Sequence[slice] | None = None,
) -> MemoryBatch:
    """Pad the memories of several objects into one batch.

    Where all remember the same frames, what comes from the frames alone is filled in for the first object only; nobody
    reads it of the others.

    Args:
        attended: What each object reads; at least one spatial entry each.
        moment: Where tracking stands.
        pointer_span: Frames over which pointer ages are normalised.
        dtype: Type the network computes in.
        device: Where it computes.
        own_channels: The channels of an entry that depend on the object; None where all do.
    """
    is_shared = _remember_the_same(attended)
    num_spatial = max(len(one.spatial) for one in attended)
    num_pointers = max(len(one.pointers) for one in attended)
    first = attended[0].spatial[0][0]
    is_full = all(len(one.spatial) == num_spatial for one in attended)
    make = torch.empty if is_full else torch.zeros
    # places before channels, as entries are written: what a place holds is read in one piece
    channels, height, width = first.features.shape
    spatial = make(len(attended), num_spatial, height, width, channels, dtype=dtype, device=device)
    spatial = spatial.permute(0, 1, 4, 2, 3)
    pointers = torch.zeros(len(attended), num_pointers, len(first.pointer), dtype=dtype, device=device)
    rows = torch.zeros(len(attended), num_spatial, dtype=torch.long)
    ages = torch.zeros(len(attended), num_pointers)
    spatial_valid = torch.zeros(len(attended), num_spatial, dtype=torch.bool)
    pointer_valid = torch.zeros(len(attended), num_pointers, dtype=torch.bool)
    newest = torch.zeros(len(attended), dtype=torch.long)
    for index, one in enumerate(attended):
        for slot, (entry, row) in enumerate(one.spatial):
            if own_channels is None or not is_shared or index == 0:
                spatial[index, slot] = entry.features
            else:
                for channels in own_channels:
                    spatial[index, slot, channels] = entry.features[channels]
            rows[index, slot], spatial_valid[index, slot] = row, True
        distances = [abs(moment.age(entry.frame)) for entry, _ in one.spatial]
        newest[index] = distances.index(min(distances))
        for slot, (entry, age) in enumerate(one.pointers):
            pointers[index, slot] = entry.pointer
            ages[index, slot], pointer_valid[index, slot] = age / max(pointer_span - 1, 1), True
    return MemoryBatch(
        spatial,
        rows.to(device),
        None if bool(spatial_valid.all()) else spatial_valid.to(device),
        pointers,
        ages.to(device),
        None if bool(pointer_valid.all()) else pointer_valid.to(device),
        newest.to(device),
        is_shared=is_shared,
        sources=[[entry.features for entry, _ in one.spatial] for one in attended],
    )


def groups_of(attended: Sequence[Attended]) -> list[list[int]]:
    """Objects that read the same frames at the same ages, together; all that read as no other does, in one group more."""
    found: dict[tuple[tuple[int, int], ...], list[int]] = {}
    for index, one in enumerate(attended):
        found.setdefault(tuple((entry.frame, row) for entry, row in one.spatial), []).append(index)
    groups = [group for group in found.values() if len(group) > 1]
    alone = [group[0] for group in found.values() if len(group) == 1]
    return [*groups, alone] if alone else groups


def in_order(parts: Sequence[Tensor], groups: Sequence[Sequence[int]]) -> Tensor:
    """Rows of groups (g, ...) as the objects stand (b, ...)."""
    if len(parts) == 1:
        return parts[0]
    places = torch.tensor([index for group in groups for index in group])
    return torch.cat(list(parts))[places.argsort().to(parts[0].device)]


def own_channels(config: ModelConfig) -> tuple[slice, ...] | None:
    """Channels of a memory entry that depend on the object rather than on its frame; None where all do."""
    memory = config.memory
    if not isinstance(memory, AffinityMemoryConfig):
        return None
    values = slice(memory.key_dim, memory.key_dim + config.value_dim)
    return (values, slice(-MASK_CHANNELS, None)) if memory.carry_dim else (values,)


def shares_of_others(
    attended: Sequence[Attended],
    banks: Sequence[MemoryBank],
    spatial: Float[Tensor, "b m c h w"],
    alike: Bool[Tensor, "b n"],
) -> Float[Tensor, "b m h w"]:
    """How much of each cell of the frames an object reads belongs to its twins, as far as they remember the frame."""
    shape = (spatial.shape[-2], spatial.shape[-1])
    shares: list[dict[int, Tensor]] = []
    for bank in banks:
        known = (*bank.recent, *bank.conditioning.values())
        shares.append(
            {e.frame: F.adaptive_avg_pool2d(e.logits[None].float().sigmoid(), shape)[0] for e in known}
        )
    others = spatial.new_zeros(*spatial.shape[:2], *shape)
    for index, one in enumerate(attended):
        for slot, (entry, _) in enumerate(one.spatial):
            for rival, known in enumerate(shares):
                if bool(alike[index, rival]) and entry.frame in known:
                    others[index, slot] += known[entry.frame]
    return others.clamp(max=1)


def _remember_the_same(attended: Sequence[Attended]) -> bool:
    """Whether several objects read the same frames at the same ages; keys come from the frames alone."""
    read = [[(entry.frame, row) for entry, row in one.spatial] for one in attended]
    return len(read) > 1 and all(one == read[0] for one in read)
