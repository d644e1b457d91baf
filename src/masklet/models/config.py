"""Configurations of the network, and the presets as plain functions.

Source: SAM 2 (Ravi et al. 2024) and the published checkpoints for ``sam2*``; ``compact`` and ``debug`` are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from masklet.errors import ConfigError

SAM2_STABILITY = 0.98
LOOK_AHEAD = 16
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True, slots=True, kw_only=True)
class HieraConfig:
    """The hierarchical transformer encoder.

    Attributes:
        embed_dim: Channels of the first stage; doubled at each later stage.
        num_heads: Attention heads of the first stage; doubled likewise.
        stage_depths: Blocks per stage, four stages at strides 4, 8, 16, 32.
        global_blocks: Indices of the blocks that attend over the whole image.
        background_size: Grid (h, w) of the learned absolute position embedding before interpolation.
        window_sizes: Attention window per stage, in tokens.
    """

    embed_dim: int
    num_heads: int
    stage_depths: tuple[int, int, int, int]
    global_blocks: tuple[int, ...]
    background_size: tuple[int, int] = (7, 7)
    window_sizes: tuple[int, int, int, int] = (8, 4, 14, 7)

    @property
    def channels(self) -> tuple[int, int, int, int]:
        """Output channels at strides 4, 8, 16, 32."""
        first = self.embed_dim
        return first, 2 * first, 4 * first, 8 * first


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactEncoderConfig:
    """The small convolutional encoder: inverted residuals, output stride 16, an image-level context head.

    Attributes:
        stem_channels: Channels after the first convolution (stride 2).
        block_channels: Output channels of each inverted residual.
        block_strides: Stride of each inverted residual; their product with the stem's 2 is 16.
        block_dilations: Dilation of each depthwise convolution.
        expansion: Channel expansion inside every block but the first.
        context_channels: Channels of the context head.
        tap_blocks: The blocks whose outputs are the features at strides 4, 8 and 16.
    """

    stem_channels: int = 32
    block_channels: tuple[int, ...] = (16, 24, 24, 32, 32, 32, 64, 64, 64, 64, 96, 96, 96, 160, 160, 160, 320)
    block_strides: tuple[int, ...] = (1, 2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)
    block_dilations: tuple[int, ...] = (1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2)
    expansion: int = 6
    context_channels: int = 256
    tap_blocks: tuple[int, int, int] = (2, 5, 12)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionMemoryConfig:
    """Memory reading by a stack of transformer layers with rotary positions (SAM 2)."""

    num_layers: int = 4
    mlp_dim: int = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class AffinityMemoryConfig:
    """Memory reading by one affinity between image keys, then convolutional fusion (ours, for small models).

    Attributes:
        key_dim: Channels of the keys, which come from the image alone.
        carry_dim: Channels of the stride-8 keys that carry the newest mask over at stride 4; 0 for no carrying.
        has_target: Whether what tells the object from its surroundings is learned from memory on every frame; needs
            carrying, whose keys it shares.
        num_blocks: Fusion blocks after the reading.
        num_heads: Heads of the attention to object pointers.
        expansion: Hidden channels of a fusion block, in its channels.
    """

    key_dim: int = 64
    carry_dim: int = 0
    has_target: bool = False
    num_blocks: int = 2
    num_heads: int = 4
    expansion: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryEncoderConfig:
    """Turns a frame and its mask into memory features.

    Attributes:
        mask_channels: Channels after each stride-2 convolution on the mask.
        mask_stride: Stride at which the mask enters: 1 is full model resolution, 4 the decoder's.
        num_blocks: Fusion blocks.
        expansion: Hidden channels of a fusion block, in its channels.
    """

    mask_channels: tuple[int, ...] = (4, 16, 64, 256)
    mask_stride: int = 1
    num_blocks: int = 2
    expansion: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class DecoderConfig:
    """The two-way transformer that turns prompts into masks."""

    depth: int = 2
    num_heads: int = 8
    mlp_dim: int = 2048
    attention_downsample: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """Everything needed to build a model.

    Attributes:
        name: Preset name.
        image_size: Side of the square input in pixels; divisible by 32.
        encoder: Which image encoder, and its shape.
        memory: How memory is read, and its shape.
        memory_encoder: How memory is written.
        decoder: The mask decoder.
        hidden_dim: Channels of image features, tokens and pointers.
        value_dim: Channels of memory values and of the pieces a pointer is cut into.
        skip_dims: Channels of the decoder's stride-4 and stride-8 skips.
        num_memories: Spatial memories: one conditioning slot and ``num_memories - 1`` recent frames.
        max_pointers: The most object pointers read per frame.
        has_pointer_time: Whether pointers carry their signed age (2.1).
        has_absent_embedding: Whether memories of absent objects are marked (2.1).
        has_prompt_maps: Whether prompts are also drawn as maps at strides 4 to 16 (ours).
        keeps_clicked_parts: Whether parts of a mask that hold no positive click are dropped (ours).
        forgets_absent: Whether a frame without the object is remembered for one frame only, so that what was known of
            the object lasts until it comes back (ours).
        is_correction_clear: Whether one click that corrects a mask counts as a clear prompt, answered by the single
            mask (ours).
        looks_again: Whether small objects of images are looked at a second time, enlarged (ours).
        enlarges_smoothly: Whether masks are brought to image size by bicubic rather than bilinear interpolation (ours).
        least_stability: Below it the single mask of a clear prompt gives way to the best of three; 0 for never.
        pixel_mean: Mean of RGB in [0, 1].
        pixel_std: Standard deviation of RGB in [0, 1].
        memory_precision: Storage type of memory features.
    """

    name: str
    image_size: int
    encoder: HieraConfig | CompactEncoderConfig
    memory: AttentionMemoryConfig | AffinityMemoryConfig = AttentionMemoryConfig()
    memory_encoder: MemoryEncoderConfig = MemoryEncoderConfig()
    decoder: DecoderConfig = DecoderConfig()
    hidden_dim: int = 256
    value_dim: int = 64
    skip_dims: tuple[int, int] = (32, 64)
    num_memories: int = 7
    max_pointers: int = 16
    has_pointer_time: bool = True
    has_absent_embedding: bool = True
    has_prompt_maps: bool = False
    keeps_clicked_parts: bool = False
    forgets_absent: bool = False
    is_correction_clear: bool = False
    looks_again: bool = False
    enlarges_smoothly: bool = False
    least_stability: float = SAM2_STABILITY
    pixel_mean: tuple[float, float, float] = IMAGENET_MEAN
    pixel_std: tuple[float, float, float] = IMAGENET_STD
    memory_precision: Literal["float32", "bfloat16", "float16"] = "bfloat16"

    def __post_init__(self) -> None:
        """Refuse sizes that the network cannot take."""
        if self.image_size < 32 or self.image_size % 32:
            raise ConfigError(
                f"image_size must be a positive multiple of 32, got {self.image_size}; "
                f"the nearest is {max(32, round(self.image_size / 32) * 32)}."
            )
        if self.hidden_dim % self.value_dim:
            raise ConfigError(
                f"hidden_dim {self.hidden_dim} must be a multiple of value_dim {self.value_dim}."
            )
        memory = self.memory
        if isinstance(memory, AffinityMemoryConfig) and memory.has_target and not memory.carry_dim:
            raise ConfigError("has_target needs the keys of a carried mask; set carry_dim above 0.")

    @property
    def look_ahead(self) -> int | None:
        """How many frames before a prompted frame also read it, so that a correction stays near; None for all (SAM 2)."""
        return LOOK_AHEAD if isinstance(self.memory, AffinityMemoryConfig) else None

    @property
    def grid(self) -> int:
        """Side of the stride-16 feature grid."""
        return self.image_size // 16

    @property
    def mask_side(self) -> int:
        """Side of the decoder's masks (stride 4)."""
        return self.image_size // 4

    @property
    def memory_channels(self) -> int:
        """Channels of one spatial memory entry."""
        if not isinstance(self.memory, AffinityMemoryConfig):
            return self.value_dim
        # a carried mask: keys of the four cells of stride 8 and the sixteen of stride 4
        carried = 4 * self.memory.carry_dim + 16 if self.memory.carry_dim else 0
        return self.value_dim + self.memory.key_dim + carried

    def resized(self, image_size: int) -> ModelConfig:
        """The same network for another input side.

        Raises:
            ConfigError: When the side is not a multiple of 32.
        """
        return replace(self, image_size=image_size)


def with_widths_of(slim: ModelConfig, config: ModelConfig) -> ModelConfig:
    """A configuration with the numbers of hidden units of another, which may have been slimmed, where both are compact."""
    widths, memory = slim.encoder, slim.memory
    if not isinstance(widths, CompactEncoderConfig) or not isinstance(config.encoder, CompactEncoderConfig):
        return config
    if not isinstance(memory, AffinityMemoryConfig) or not isinstance(config.memory, AffinityMemoryConfig):
        return config
    return replace(
        config,
        encoder=replace(config.encoder, stem_channels=widths.stem_channels),
        memory=replace(config.memory, expansion=memory.expansion),
        memory_encoder=replace(config.memory_encoder, expansion=slim.memory_encoder.expansion),
    )


_SAM2_ENCODERS: Mapping[str, HieraConfig] = {
    "tiny": HieraConfig(embed_dim=96, num_heads=1, stage_depths=(1, 2, 7, 2), global_blocks=(5, 7, 9)),
    "small": HieraConfig(embed_dim=96, num_heads=1, stage_depths=(1, 2, 11, 2), global_blocks=(7, 10, 13)),
    "base-plus": HieraConfig(
        embed_dim=112,
        num_heads=2,
        stage_depths=(2, 3, 16, 3),
        global_blocks=(12, 16, 20),
        background_size=(14, 14),
    ),
    "large": HieraConfig(
        embed_dim=144,
        num_heads=2,
        stage_depths=(2, 6, 36, 4),
        global_blocks=(23, 33, 43),
        window_sizes=(8, 4, 16, 8),
    ),
}
SAM2_SIZES = tuple(_SAM2_ENCODERS)


def sam21(size: str) -> ModelConfig:
    """SAM 2.1 in one of its four sizes.

    Args:
        size: "tiny", "small", "base-plus" or "large".
    """
    return ModelConfig(name=f"sam2.1-{size}", image_size=1024, encoder=_SAM2_ENCODERS[size])


def sam2(size: str) -> ModelConfig:
    """SAM 2.0: as 2.1 without the age of pointers and the mark on absent memories."""
    return replace(sam21(size), name=f"sam2-{size}", has_pointer_time=False, has_absent_embedding=False)


def compact() -> ModelConfig:
    """Our embedded model for CPUs."""
    return ModelConfig(
        name="compact",
        image_size=384,
        encoder=CompactEncoderConfig(),
        memory=AffinityMemoryConfig(carry_dim=16, has_target=True),
        memory_encoder=MemoryEncoderConfig(mask_channels=(16, 64), mask_stride=4),
        decoder=DecoderConfig(num_heads=4, mlp_dim=512, attention_downsample=1),
        hidden_dim=128,
        has_prompt_maps=True,
        keeps_clicked_parts=True,
        forgets_absent=True,
        is_correction_clear=True,
        looks_again=True,
        enlarges_smoothly=True,
        least_stability=0.0,
        pixel_mean=(0.5, 0.5, 0.5),
        pixel_std=(0.5, 0.5, 0.5),
        memory_precision="float32",
    )


def debug() -> ModelConfig:
    """SAM 2's structure with a few thousand weights, for tests of wiring."""
    return ModelConfig(
        name="debug",
        image_size=64,
        encoder=HieraConfig(
            embed_dim=8, num_heads=1, stage_depths=(1, 1, 2, 1), global_blocks=(3,), window_sizes=(4, 2, 2, 2)
        ),
        memory=AttentionMemoryConfig(num_layers=1, mlp_dim=32),
        memory_encoder=MemoryEncoderConfig(mask_channels=(2, 4, 8, 16), num_blocks=1),
        decoder=DecoderConfig(num_heads=2, mlp_dim=32),
        hidden_dim=32,
        value_dim=16,
        skip_dims=(4, 8),
        memory_precision="float32",
    )


def debug_compact() -> ModelConfig:
    """The compact structure with a few thousand weights, for tests of wiring."""
    return replace(
        compact(),
        name="debug-compact",
        image_size=64,
        encoder=CompactEncoderConfig(
            stem_channels=8,
            block_channels=(8, 8, 8, 16, 16),
            block_strides=(1, 2, 2, 2, 1),
            block_dilations=(1, 1, 1, 1, 2),
            expansion=2,
            context_channels=16,
            tap_blocks=(1, 2, 3),
        ),
        memory=AffinityMemoryConfig(key_dim=8, carry_dim=4, has_target=True, num_blocks=1, num_heads=2),
        memory_encoder=MemoryEncoderConfig(mask_channels=(4, 8), mask_stride=4, num_blocks=1),
        decoder=DecoderConfig(num_heads=2, mlp_dim=32, attention_downsample=1),
        hidden_dim=32,
        value_dim=16,
        skip_dims=(4, 8),
    )


PRESETS: Mapping[str, Callable[[], ModelConfig]] = {
    "compact": compact,
    **{f"sam2.1-{size}": (lambda size=size: sam21(size)) for size in SAM2_SIZES},
    **{f"sam2-{size}": (lambda size=size: sam2(size)) for size in SAM2_SIZES},
    "debug": debug,
    "debug-compact": debug_compact,
}


def preset(name: str) -> ModelConfig:
    """The configuration of a preset.

    Raises:
        ConfigError: When there is no preset of this name.
    """
    if name not in PRESETS:
        raise ConfigError(f"There is no model preset {name!r}; the presets are {', '.join(PRESETS)}.")
    return PRESETS[name]()
