"""The whole network, wired in one place, used through six calls that keep no state.

    encode_image -> read_memory | no_memory -> encode_prompts -> decode -> write_memory

Source: SAM 2 (Ravi et al. 2024).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from masklet.models import object_decoder, sam2_clicks
from masklet.models.bounded_softmax import Compared
from masklet.models.compact import CompactEncoder
from masklet.models.config import AffinityMemoryConfig, HieraConfig, ModelConfig
from masklet.models.hiera import Hiera
from masklet.models.layers import Perceptron
from masklet.models.mask_carry import MaskCarry, newest
from masklet.models.mask_decoder import DecodedMasks, MaskDecoder
from masklet.models.memory_affinity import AffinityMemory
from masklet.models.memory_attention import MemoryAttention
from masklet.models.memory_batch import MemoryBatch
from masklet.models.memory_encoder import MemoryEncoder
from masklet.models.neck import CompactNeck, PyramidNeck
from masklet.models.position import sine_map, sine_scalar
from masklet.models.prompt_encoder import EncodedPrompts, PromptEncoder
from masklet.models.prompt_maps import NUM_CARRIED, NUM_SCORED, PromptMaps
from masklet.models.target_model import TargetModel, recalled

ABSENT_LOGIT = -1024.0
"""Mask logit everywhere when the object is judged absent."""
_FEW_ROWS = 1024
"""Up to so many places of the grid the decoder's own order of products is as fast on a CPU."""
MASK_SCALE, MASK_BIAS = 20.0, -10.0
"""Masks enter memory as 20 p - 10, and a given mask m becomes the logits 20 m - 10."""


@dataclass(frozen=True, slots=True)
class ImageFeatures:
    """What the encoder says of a frame: features (b, c, h, w) at stride 16, skips at strides 4 and 8."""

    features: Tensor
    skip4: Tensor
    skip8: Tensor

    @property
    def skips(self) -> tuple[Tensor, Tensor]:
        """Stride 4, stride 8."""
        return self.skip4, self.skip8

    @property
    def num_bytes(self) -> int:
        """Bytes held."""
        return sum(t.numel() * t.element_size() for t in (self.features, self.skip4, self.skip8))

    def select(self, index: int | slice | Tensor) -> ImageFeatures:
        """Some images of the batch, as a batch."""
        if isinstance(index, int):
            index = slice(index, index + 1)
        return ImageFeatures(self.features[index], self.skip4[index], self.skip8[index])


class SegmentationModel(nn.Module):
    """Promptable segmentation with memory."""

    feature_position: Tensor
    memory_position: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        dim, value_dim, grid = config.hidden_dim, config.value_dim, config.grid
        self.encoder, self.neck = _build_encoder(config)
        self.carry = None
        if isinstance(config.memory, AffinityMemoryConfig) and config.memory.carry_dim:
            self.carry = MaskCarry(config.skip_dims[1], config.memory.carry_dim, grid)
        self.target = None
        if isinstance(config.memory, AffinityMemoryConfig) and config.memory.has_target:
            self.target = TargetModel()
        maps = None
        if config.has_prompt_maps:
            num_carried = NUM_CARRIED * (self.carry is not None) + NUM_SCORED * (self.target is not None)
            maps = PromptMaps(dim, config.skip_dims, config.mask_side, num_carried=num_carried)
        self.prompt_encoder = PromptEncoder(dim, grid, maps)
        self.decoder = MaskDecoder(dim, config.skip_dims, config.decoder)
        if isinstance(config.memory, AffinityMemoryConfig):
            self.memory = AffinityMemory(dim, value_dim, grid, config.num_memories, config.memory)
        else:
            self.memory = MemoryAttention(dim, value_dim, grid, config.memory)
        self.memory_encoder = MemoryEncoder(dim, value_dim, config.memory_encoder)
        self.pointer_head = Perceptron((dim, dim, dim, dim))
        self.pointer_time = nn.Linear(dim, value_dim) if config.has_pointer_time else None
        self.mask_pointer_conv = nn.Conv2d(1, 1, 4, stride=4)
        self.memory_time = nn.Parameter(torch.zeros(config.num_memories, value_dim))
        self.no_memory_embedding = nn.Parameter(torch.zeros(dim))
        self.no_memory_position = nn.Parameter(torch.zeros(dim))
        self.no_object_pointer = nn.Parameter(torch.zeros(1, dim))
        self.absent_embedding = (
            nn.Parameter(torch.zeros(1, value_dim)) if config.has_absent_embedding else None
        )
        self.register_buffer("feature_position", sine_map(dim, grid, grid), persistent=False)
        self.register_buffer("memory_position", sine_map(value_dim, grid, grid), persistent=False)
        for free in (
            self.memory_time,
            self.no_memory_embedding,
            self.no_memory_position,
            self.no_object_pointer,
        ):
            nn.init.trunc_normal_(free, std=0.02)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.no_object_pointer.device

    def encode_image(self, pixels: Float[Tensor, "b 3 s s"]) -> ImageFeatures:
        """Encode normalised pixels of the model's size."""
        features, skip4, skip8 = self.neck(self.encoder(pixels))
        return ImageFeatures(features, skip4, skip8)

    def no_memory(self, features: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Mark features as coming without memory: images and first frames."""
        return features + self.no_memory_embedding[:, None, None]

    def encode_prompts(
        self,
        points_xy: Float[Tensor, "b n 2"],
        labels: Int[Tensor, "b n"],
        mask_logits: Float[Tensor, "b 1 h w"] | None = None,
        mask_given: Bool[Tensor, " b"] | None = None,
        carried: Float[Tensor, "b k h w"] | None = None,
    ) -> EncodedPrompts:
        """Embed prompts.

        Args:
            points_xy: Points in model pixels, (column, row) of the pixel pointed at.
            labels: A PointLabel per point; one PADDING point belongs at the end of every list.
            mask_logits: A mask to start from, at stride 4.
            mask_given: Which rows of ``mask_logits`` count; None for all.
            carried: What ``carry_mask`` gave on a tracked frame.
        """
        encoded = self.prompt_encoder(points_xy, labels, mask_logits, mask_given, carried)
        if self.target is None or carried is None:
            return encoded
        scores = carried[:, NUM_CARRIED:]
        return replace(
            encoded,
            added_logits=self.target.strength * scores,
            added_presence=self.target.presence_of(scores),
        )

    def decode(
        self,
        features: Float[Tensor, "b c h w"],
        skips: tuple[Float[Tensor, "#b s4 h4 w4"], Float[Tensor, "#b s8 h8 w8"]],
        prompts: EncodedPrompts,
    ) -> DecodedMasks:
        """All four mask candidates for conditioned features and prompts."""
        position = self.prompt_encoder.position.grid(self.config.grid)
        if self.config.grid**2 > _FEW_ROWS and sam2_clicks.is_possible(features, prompts):
            shared = sam2_clicks.prepare(self.decoder, features[:1], skips, prompts.dense, position)
            return sam2_clicks.decode(self.decoder, shared, prompts.tokens)
        maps, num_heads = self.prompt_encoder.maps, self.config.decoder.num_heads
        if maps is not None and object_decoder.is_possible(prompts, num_heads):
            return object_decoder.decode(self.decoder, maps, features, skips, position, prompts)
        return self.decoder(features, skips, position, self.prompt_encoder.spread(prompts))

    def point_at(self, tokens: Float[Tensor, "b c"], is_present: Bool[Tensor, " b"]) -> Float[Tensor, "b c"]:
        """The object pointer of a chosen mask token; a learned one when the object is absent."""
        return torch.where(is_present[:, None], self.pointer_head(tokens), self.no_object_pointer)

    def point_at_mask(self, image: ImageFeatures, mask: Float[Tensor, "b 1 s s"]) -> Float[Tensor, "b c"]:
        """The object pointer of a mask that was given rather than predicted.

        Args:
            image: Features of the frame, without memory.
            mask: The mask in [0, 1] at the model's input size.
        """
        batch = len(mask)
        points = torch.zeros(batch, 2, 2, device=mask.device)
        labels = torch.full((batch, 2), -1, device=mask.device)
        prompts = self.encode_prompts(points, labels, self.mask_pointer_conv(mask))
        decoded = self.decode(image.features.expand(batch, -1, -1, -1), image.skips, prompts)
        best = decoded.iou[:, 1:].argmax(dim=1) + 1
        tokens = decoded.tokens[torch.arange(batch, device=mask.device), best]
        is_present = (decoded.presence > 0) & (mask > 0).flatten(1).any(dim=1)
        return self.point_at(tokens, is_present)

    def write_memory(
        self,
        image: ImageFeatures,
        mask_logits: Float[Tensor, "b 1 hm wm"],
        is_present: Bool[Tensor, " b"],
        is_binary: Bool[Tensor, " b"],
    ) -> Float[Tensor, "b m h w"]:
        """Encode a frame and its mask as a memory entry.

        Args:
            image: Features of the frame, without memory; may be shared by the batch.
            mask_logits: The mask at any resolution.
            is_present: Whether each object is there.
            is_binary: Whose mask is cut at 0 first (those a person prompted).
        """
        side = self.config.image_size // self.config.memory_encoder.mask_stride
        logits = resize_logits(mask_logits, side)
        binary = (logits > 0).to(logits.dtype)
        probability = torch.where(is_binary[:, None, None, None], binary, logits.sigmoid())
        values = self.memory_encoder(image.features, MASK_SCALE * probability + MASK_BIAS)
        if self.absent_embedding is not None:
            values = values + (~is_present)[:, None, None, None] * self.absent_embedding[..., None, None]
        if not isinstance(self.memory, AffinityMemory):
            return values
        keys = self.memory.encode_keys(image.features).expand(len(values), -1, -1, -1)
        parts = [keys, values.to(keys.dtype)]
        if self.carry is not None:
            fine = resize_logits(probability, self.config.mask_side)
            parts.append(self.carry.pack(image.skip8, fine * is_present[:, None, None, None]))
        # places before channels: what a place holds is read in one piece
        rows = torch.cat([part.permute(0, 2, 3, 1) for part in parts], dim=3)
        return rows.permute(0, 3, 1, 2)

    def carry_mask(self, image: ImageFeatures, memory: MemoryBatch) -> Float[Tensor, "b k h4 w4"] | None:
        """What memory says of each object at the decoder's resolution, for ``encode_prompts``.

        Returns:
            The newest mask where it should be on this frame, two maps (see MaskCarry), and where the model has a target
            model its scores, a third. None for models that carry no mask.
        """
        if self.carry is None or memory.newest is None:
            return None
        entries = newest(memory.spatial, memory.newest)
        carried = self.carry(image.skip8, entries[:, -self.carry.num_channels :], is_shared=memory.is_shared)
        if self.target is None or not isinstance(self.memory, AffinityMemory):
            return carried
        coarse, fine = self.memory.encode_keys(image.features), self.carry.encode_keys(image.skip8)
        scores = self.target(coarse, fine, recalled(memory, self.carry, self.memory.key_dim))
        enlarged = F.interpolate(scores, size=carried.shape[2:], mode="bilinear")
        return torch.cat((carried, enlarged.to(carried.dtype)), dim=1)

    def looks_of(self, image: ImageFeatures) -> Float[Tensor, "1 k h w"] | None:
        """What memory keeps of a frame whatever the object; its first channels. None for models that keep it with the mask."""
        return self.memory.encode_keys(image.features) if isinstance(self.memory, AffinityMemory) else None

    def compare(
        self,
        features: Float[Tensor, "1 c h w"],
        looks: Float[Tensor, "1 m k h w"],
        rows: Int[Tensor, "1 m"],
    ) -> Compared | None:
        """What ``read_memory`` can do before it needs masks, for objects that remember the same frames.

        Args:
            features: Image features of the frame.
            looks: What memory keeps of the remembered frames whatever the object.
            rows: Age row of each.

        Returns:
            For ``MemoryBatch.compared``; None where there is nothing to do before.
        """
        return self.memory.compare(features, looks, rows) if isinstance(self.memory, AffinityMemory) else None

    def read_memory(
        self, features: Float[Tensor, "#b c h w"], memory: MemoryBatch
    ) -> Float[Tensor, "b c h w"]:
        """Condition features on the memories of each object; features may be shared by the batch."""
        features = features.expand(len(memory.spatial), -1, -1, -1)
        if isinstance(self.memory, AffinityMemory):
            if memory.compared is not None:
                read = self.memory.look_up_by(memory.compared, memory.spatial)
            else:
                read = self.memory.look_up(
                    features,
                    memory.spatial,
                    memory.rows,
                    memory.spatial_valid,
                    is_shared=memory.is_shared,
                    recency=memory.recency,
                )
            pointers = memory.pointers + self._pointer_ages(memory.pointer_ages, whole=True)
            return self.memory.fuse(features, read, pointers, memory.pointer_valid)
        keys, values, valid = self._memory_tokens(memory)
        num_pointers = values.shape[1] - memory.spatial.shape[1] * self.config.grid**2
        return self.memory(
            features, self.feature_position, (keys, values), num_pointers=num_pointers, key_valid=valid
        )

    def _pointer_ages(self, ages: Float[Tensor, "b p"], *, whole: bool) -> Tensor:
        if self.pointer_time is None:
            return ages.new_zeros(*ages.shape, 1)
        encoded = self.pointer_time(sine_scalar(ages, self.config.hidden_dim))
        # whole pointers carry the age in every piece
        return encoded.repeat(1, 1, self.config.hidden_dim // self.config.value_dim) if whole else encoded

    def _memory_tokens(self, memory: MemoryBatch) -> tuple[Tensor, Tensor, Tensor | None]:
        pieces = self.config.hidden_dim // self.config.value_dim
        spatial = memory.spatial.to(memory.pointers.dtype).flatten(3).transpose(2, 3)
        place = self.memory_position.flatten(1).T + self.memory_time[memory.rows][:, :, None]
        pointers = memory.pointers.unflatten(-1, (pieces, -1)).flatten(1, 2)
        ages = self._pointer_ages(memory.pointer_ages, whole=False).expand(-1, -1, self.config.value_dim)
        values = torch.cat((spatial.flatten(1, 2), pointers), dim=1)
        places = torch.cat((place.flatten(1, 2), ages.repeat_interleave(pieces, dim=1)), dim=1)
        return values + places, values, self._token_validity(memory, pieces)

    def _token_validity(self, memory: MemoryBatch, pieces: int) -> Tensor | None:
        if memory.spatial_valid is None and memory.pointer_valid is None:
            return None
        device, batch = memory.spatial.device, len(memory.spatial)
        spatial_valid, pointer_valid = memory.spatial_valid, memory.pointer_valid
        if spatial_valid is None:
            spatial_valid = torch.ones(batch, memory.spatial.shape[1], dtype=torch.bool, device=device)
        if pointer_valid is None:
            pointer_valid = torch.ones(batch, memory.pointers.shape[1], dtype=torch.bool, device=device)
        cells = self.config.grid**2
        return torch.cat(
            (spatial_valid.repeat_interleave(cells, 1), pointer_valid.repeat_interleave(pieces, 1)), dim=1
        )


def resize_logits(logits: Float[Tensor, "b k h w"], side: int) -> Float[Tensor, "b k side side"]:
    """Bilinear resize to a square in float32, antialiased when it shrinks."""
    if logits.shape[-2:] == (side, side):
        return logits
    shrinks = logits.shape[-1] > side
    return F.interpolate(logits.float(), size=(side, side), mode="bilinear", antialias=shrinks)


def _build_encoder(config: ModelConfig) -> tuple[nn.Module, nn.Module]:
    encoder = config.encoder
    if isinstance(encoder, HieraConfig):
        return Hiera(encoder), PyramidNeck(encoder.channels, config.hidden_dim, config.skip_dims)
    channels = CompactEncoder.channels(encoder)
    return CompactEncoder(encoder), CompactNeck(channels, config.hidden_dim, config.skip_dims)


def build(config: ModelConfig, *, seed: int | None = None) -> SegmentationModel:
    """Build a model with random weights, in evaluation mode, on the CPU, in float32.

    Args:
        config: What to build.
        seed: Seeds the weights without touching the global generator; None uses the global one.
    """
    if seed is None:
        return SegmentationModel(config).eval()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return SegmentationModel(config).eval()
