"""How the same tensors are called by us, by the published checkpoints and by transformers.

One table, three columns; ``#`` stands for an index and is the same in all columns unless the row says otherwise.
A row names a module, whose ``weight`` and ``bias`` keep their names, or a tensor.
Source: read off the published checkpoints (December 2024) and the classes of transformers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Layout = Literal["official", "transformers"]
Names = tuple[str, str, str]
"""Ours, official, transformers."""

REVERSED_LEVELS = 3
"""The published neck counts its four levels from coarse to fine, ours from fine to coarse: i becomes 3 - i."""


@dataclass(frozen=True, slots=True)
class Row:
    """One module or tensor.

    Attributes:
        ours: Its name here.
        official: Its name in the published checkpoints.
        transformers: Its name in transformers.
        unit_axes: Axes of length 1 that both foreign layouts have and we have not.
        is_reversed: Whether the index runs the other way in both foreign layouts.
        is_stacked: Whether the official layout has one tensor (1, n) for each of our rows.
    """

    ours: str
    official: str
    transformers: str
    unit_axes: tuple[int, ...] = ()
    is_reversed: bool = False
    is_stacked: bool = False

    def foreign(self, layout: Layout) -> str:
        """The name in a layout."""
        return self.official if layout == "official" else self.transformers


def _inside(module: Names, part: Names) -> Names:
    return f"{module[0]}.{part[0]}", f"{module[1]}.{part[1]}", f"{module[2]}.{part[2]}"


def _under(module: Names, parts: tuple[Names, ...]) -> tuple[Row, ...]:
    return tuple(Row(*_inside(module, part)) for part in parts)


_ATTENTION: tuple[Names, ...] = (
    ("query", "q_proj", "q_proj"),
    ("key", "k_proj", "k_proj"),
    ("value", "v_proj", "v_proj"),
    ("out", "out_proj", "o_proj"),
)
_TWO_LAYERS: tuple[Names, ...] = (("layers.0", "layers.0", "proj_in"), ("layers.1", "layers.1", "proj_out"))
_THREE_LAYERS: tuple[Names, ...] = (
    ("layers.0", "layers.0", "proj_in"),
    ("layers.1", "layers.1", "layers.0"),
    ("layers.2", "layers.2", "proj_out"),
)
_NORMS: tuple[Names, ...] = tuple((f"norm{k}", f"norm{k}", f"layer_norm{k}") for k in (1, 2, 3, 4))

_MLP = ("mlp", "mlp", "mlp")
_TRUNK = ("encoder.blocks.#", "image_encoder.trunk.blocks.#", "vision_encoder.backbone.blocks.#")
_ENCODER = (
    Row(
        "encoder.patch",
        "image_encoder.trunk.patch_embed.proj",
        "vision_encoder.backbone.patch_embed.projection",
    ),
    Row("encoder.position", "image_encoder.trunk.pos_embed", "vision_encoder.backbone.pos_embed"),
    Row(
        "encoder.window_position",
        "image_encoder.trunk.pos_embed_window",
        "vision_encoder.backbone.pos_embed_window",
    ),
    *_under(_TRUNK, _NORMS[:2]),
    *_under(
        _TRUNK,
        (("attention.qkv", "attn.qkv", "attn.qkv"), ("attention.out", "attn.proj", "attn.proj")),
    ),
    *_under(_inside(_TRUNK, _MLP), _TWO_LAYERS),
    *_under(_TRUNK, (("projection", "proj", "proj"),)),
    Row(
        "neck.laterals.#", "image_encoder.neck.convs.#.conv", "vision_encoder.neck.convs.#", is_reversed=True
    ),
    Row("neck.skip4", "sam_mask_decoder.conv_s0", "mask_decoder.conv_s0"),
    Row("neck.skip8", "sam_mask_decoder.conv_s1", "mask_decoder.conv_s1"),
)

_PROMPTS = (
    Row(
        "prompt_encoder.position.frequencies",
        "sam_prompt_encoder.pe_layer.positional_encoding_gaussian_matrix",
        "prompt_encoder.shared_embedding.positional_embedding",
    ),
    Row(
        "prompt_encoder.point_kinds",
        "sam_prompt_encoder.point_embeddings.#.weight",
        "prompt_encoder.point_embed.weight",
        is_stacked=True,
    ),
    Row(
        "prompt_encoder.padding",
        "sam_prompt_encoder.not_a_point_embed.weight",
        "prompt_encoder.not_a_point_embed.weight",
    ),
    Row(
        "prompt_encoder.no_mask",
        "sam_prompt_encoder.no_mask_embed.weight",
        "prompt_encoder.no_mask_embed.weight",
    ),
    *_under(
        ("prompt_encoder", "sam_prompt_encoder.mask_downscaling", "prompt_encoder.mask_embed"),
        (
            ("mask_conv1", "0", "conv1"),
            ("mask_norm1", "1", "layer_norm1"),
            ("mask_conv2", "3", "conv2"),
            ("mask_norm2", "4", "layer_norm2"),
            ("mask_conv3", "6", "conv3"),
        ),
    ),
)

_TWO_WAY = ("decoder.transformer", "sam_mask_decoder.transformer", "mask_decoder.transformer")
_TWO_WAY_BLOCK = _inside(_TWO_WAY, ("blocks.#", "layers.#", "layers.#"))


def _attention(module: Names, ours: str, foreign: str) -> tuple[Row, ...]:
    return _under(_inside(module, (ours, foreign, foreign)), _ATTENTION)


_DECODER = (
    *_attention(_TWO_WAY_BLOCK, "self_attention", "self_attn"),
    *_attention(_TWO_WAY_BLOCK, "token_to_image", "cross_attn_token_to_image"),
    *_attention(_TWO_WAY_BLOCK, "image_to_token", "cross_attn_image_to_token"),
    *_under(_TWO_WAY_BLOCK, _NORMS),
    *_under(_inside(_TWO_WAY_BLOCK, _MLP), _TWO_LAYERS),
    *_attention(_TWO_WAY, "final_attention", "final_attn_token_to_image"),
    *_under(_TWO_WAY, (("final_norm", "norm_final_attn", "layer_norm_final_attn"),)),
    *_under(
        ("decoder", "sam_mask_decoder", "mask_decoder"),
        (
            ("presence_token", "obj_score_token.weight", "obj_score_token.weight"),
            ("iou_token", "iou_token.weight", "iou_token.weight"),
            ("mask_tokens", "mask_tokens.weight", "mask_tokens.weight"),
            ("upscale8", "output_upscaling.0", "upscale_conv1"),
            ("upscale_norm", "output_upscaling.1", "upscale_layer_norm"),
            ("upscale4", "output_upscaling.3", "upscale_conv2"),
        ),
    ),
    *_under(
        (
            "decoder.hypernetworks.#",
            "sam_mask_decoder.output_hypernetworks_mlps.#",
            "mask_decoder.output_hypernetworks_mlps.#",
        ),
        _THREE_LAYERS,
    ),
    *_under(
        ("decoder.iou_head", "sam_mask_decoder.iou_prediction_head", "mask_decoder.iou_prediction_head"),
        _THREE_LAYERS,
    ),
    *_under(
        ("decoder.presence_head", "sam_mask_decoder.pred_obj_score_head", "mask_decoder.pred_obj_score_head"),
        _THREE_LAYERS,
    ),
)

_LAYER = ("memory.layers.#", "memory_attention.layers.#", "memory_attention.layers.#")
_FUSER = ("memory_encoder.blocks.#", "memory_encoder.fuser.layers.#", "memory_encoder.memory_fuser.layers.#")
_MEMORY = (
    *_attention(_LAYER, "self_attention", "self_attn"),
    *_attention(_LAYER, "memory_attention", "cross_attn_image"),
    *_under(_LAYER, (*_NORMS[:3], ("expand", "linear1", "linear1"), ("contract", "linear2", "linear2"))),
    Row("memory.norm", "memory_attention.norm", "memory_attention.layer_norm"),
    *_under(
        ("memory_encoder.downsampler", "memory_encoder.mask_downsampler", "memory_encoder.mask_downsampler"),
        (
            # the published list counts convolution, norm and activation as three entries
            *((f"convs.{k}", f"encoder.{3 * k}", f"layers.{k}.conv") for k in range(4)),
            *((f"norms.{k}", f"encoder.{3 * k + 1}", f"layers.{k}.layer_norm") for k in range(4)),
            ("out", "encoder.12", "final_conv"),
        ),
    ),
    Row(
        "memory_encoder.pixel_projection", "memory_encoder.pix_feat_proj", "memory_encoder.feature_projection"
    ),
    *_under(
        _FUSER,
        (
            ("scale", "gamma", "scale"),
            ("depthwise", "dwconv", "depthwise_conv"),
            ("norm", "norm", "layer_norm"),
            ("expand", "pwconv1", "pointwise_conv1"),
            ("contract", "pwconv2", "pointwise_conv2"),
        ),
    ),
    Row("memory_encoder.out", "memory_encoder.out_proj", "memory_encoder.projection"),
)

_POINTERS = (
    *_under(("pointer_head", "obj_ptr_proj", "object_pointer_proj"), _THREE_LAYERS),
    Row("pointer_time", "obj_ptr_tpos_proj", "temporal_positional_encoding_projection_layer"),
    Row("mask_pointer_conv", "mask_downsample", "mask_downsample"),
    Row("memory_time", "maskmem_tpos_enc", "memory_temporal_positional_encoding", unit_axes=(1, 2)),
    Row("no_memory_embedding", "no_mem_embed", "no_memory_embedding", unit_axes=(0, 1)),
    Row("no_memory_position", "no_mem_pos_enc", "no_memory_positional_encoding", unit_axes=(0, 1)),
    Row("no_object_pointer", "no_obj_ptr", "no_object_pointer"),
    Row("absent_embedding", "no_obj_embed_spatial", "occlusion_spatial_embedding_parameter"),
)

TABLE: tuple[Row, ...] = (*_ENCODER, *_PROMPTS, *_DECODER, *_MEMORY, *_POINTERS)

TRANSFORMERS_COPY = "shared_image_embedding.positional_embedding"
"""transformers saves the point frequencies twice; this is the second name."""
