"""The independent implementation: transformers' SAM 2 classes at any image size, filled with the same random weights.

``random_state`` draws every tensor of one of our models, also those that start at zero or one, so that no difference
hides behind a neutral value. ``reference_model`` gives the same numbers to transformers. ``reference_video`` runs its
video session on a clip and returns low-resolution logits frame by frame.

An occluded stretch: presence scores of random weights all lie on one side of zero. ``shift_presence`` moves the last
bias of the presence head so that zero falls in the middle of the widest gap among the scores of a first run. Memory
feeds back into later scores, so the run has to be repeated with the shifted bias and its signs looked at again; the
callers assert that both signs occur.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor
from transformers import Sam2VideoConfig, Sam2VideoInferenceSession, Sam2VideoModel, Sam2VisionConfig
from transformers.initialization import no_init_weights

from masklet.models.config import HieraConfig, ModelConfig
from masklet.models.model import SegmentationModel
from masklet.weights.convert import to_foreign
from masklet.weights.load import build_empty

PRESENCE_BIAS = "decoder.presence_head.layers.2.bias"


@lru_cache(maxsize=4)
def random_state(config: ModelConfig, seed: int) -> dict[str, Tensor]:
    """Seeded random values for every tensor of a model, of a size that keeps activations near one; not to be changed."""
    generator = torch.Generator().manual_seed(seed)
    state = build_empty(config).state_dict()
    return {name: _draw(name, tensor, generator) for name, tensor in sorted(state.items())}


def _draw(name: str, tensor: Tensor, generator: torch.Generator) -> Tensor:
    noise = torch.randn(tensor.shape, generator=generator)
    if "norm" in name and name.endswith(".weight"):
        return 1 + 0.2 * noise
    if name.endswith("scale"):
        return 0.3 + 0.2 * noise
    if name.endswith(".bias"):
        return 0.1 * noise
    if tensor.dim() >= 2 and name.endswith(".weight"):
        fan_in = tensor[0].numel() if "upscale" not in name else tensor.shape[0]
        return noise * 1.2 / fan_in**0.5
    return 0.5 * noise


def our_model(config: ModelConfig, state: dict[str, Tensor]) -> SegmentationModel:
    """Our model with a state."""
    model = build_empty(config)
    model.load_state_dict(state)
    return model.eval()


def reference_config(config: ModelConfig, **changes: object) -> Sam2VideoConfig:
    """transformers' configuration of one of our SAM 2 presets, at its image size."""
    encoder = config.encoder
    assert isinstance(encoder, HieraConfig)
    heads = [encoder.num_heads * 2**stage for stage in range(4)]
    side = config.image_size
    vision = Sam2VisionConfig(
        backbone_config={
            "model_type": "sam2_hiera_det_model",
            "hidden_size": encoder.embed_dim,
            "num_attention_heads": encoder.num_heads,
            "image_size": [side, side],
            "window_positional_embedding_background_size": list(encoder.background_size),
            "blocks_per_stage": list(encoder.stage_depths),
            "embed_dim_per_stage": list(encoder.channels),
            "num_attention_heads_per_stage": heads,
            "window_size_per_stage": list(encoder.window_sizes),
            "global_attention_blocks": list(encoder.global_blocks),
        },
        backbone_channel_list=list(reversed(encoder.channels)),
        backbone_feature_sizes=[[side // stride, side // stride] for stride in (4, 8, 16)],
    )
    return Sam2VideoConfig(
        vision_config=vision,
        prompt_encoder_config={"image_size": side},
        image_size=side,
        memory_attention_rope_feat_sizes=[config.grid, config.grid],
        enable_occlusion_spatial_embedding=config.has_absent_embedding,
        enable_temporal_pos_encoding_for_object_pointers=config.has_pointer_time,
        **changes,
    )


def reference_model(config: ModelConfig, state: dict[str, Tensor], **changes: object) -> Sam2VideoModel:
    """transformers' model with the same numbers; ``changes`` go to its configuration."""
    with no_init_weights():
        model = Sam2VideoModel(reference_config(config, **changes))
    model.load_state_dict(to_foreign(state, "transformers"), strict=True)
    return model.eval()


def random_pixels(num_frames: int, side: int, seed: int) -> Tensor:
    """A smooth synthetic clip, normalised: coloured blobs on a gradient, one of them crossing the picture."""
    generator = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:side, 0:side] / side
    waves = generator.uniform(1, 4, size=(3, 2))
    frames = []
    for index in range(num_frames):
        share = index / max(1, num_frames - 1)
        background = np.stack([np.sin(2 * np.pi * (u * columns + v * rows + 0.3 * share)) for u, v in waves])
        centre = 0.2 + 0.6 * share
        disc = ((columns - centre) ** 2 + (rows - 0.5) ** 2 < 0.03).astype(float)
        frames.append(background * (1 - disc) + disc * np.array([1.5, -1.0, 0.5])[:, None, None])
    noise = 0.1 * generator.standard_normal((num_frames, 3, side, side))
    return torch.from_numpy(np.stack(frames) + noise).float()


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoPrompt:
    """What is said about one object on one frame, in model pixels: points with labels 0, 1, 2, 3, or a mask."""

    frame: int
    object_id: int = 1
    points_xy: tuple[tuple[float, float], ...] = ()
    labels: tuple[int, ...] = ()
    mask: Tensor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoResult:
    """Per frame, in the order of processing: logits (objects, h, w) at stride 4 and presence (objects,)."""

    frames: list[int] = field(default_factory=list)
    logits: list[Tensor] = field(default_factory=list)
    presence: list[Tensor] = field(default_factory=list)


def _add_prompt(session: Sam2VideoInferenceSession, prompt: VideoPrompt) -> None:
    index = session.obj_id_to_idx(prompt.object_id)
    if prompt.mask is not None:
        session.add_mask_inputs(index, prompt.frame, prompt.mask[None, None].float())
    else:
        points = {
            "point_coords": torch.tensor(prompt.points_xy).reshape(1, 1, -1, 2),
            "point_labels": torch.tensor(prompt.labels, dtype=torch.int32).reshape(1, 1, -1),
        }
        session.add_point_inputs(index, prompt.frame, points)
    if prompt.object_id not in session.obj_with_new_inputs:
        session.obj_with_new_inputs.append(prompt.object_id)


def reference_video(
    model: Sam2VideoModel,
    pixels: Tensor,
    prompts: list[VideoPrompt],
    *,
    start: int = 0,
    reverse: bool = False,
) -> VideoResult:
    """Prompt frame by frame, then follow every object through the clip.

    Args:
        model: From ``reference_model``.
        pixels: Normalised frames (n, 3, s, s).
        prompts: In any order; all objects of a frame are prompted together.
        start: Where following starts.
        reverse: Whether it runs towards frame 0.
    """
    side = pixels.shape[-1]
    session = Sam2VideoInferenceSession(
        video=pixels, video_height=side, video_width=side, dtype=torch.float32
    )
    for frame in sorted({prompt.frame for prompt in prompts}):
        for prompt in prompts:
            if prompt.frame == frame:
                _add_prompt(session, prompt)
        model(session, frame_idx=frame, reverse=reverse)
    result = VideoResult()
    for output in model.propagate_in_video_iterator(session, start_frame_idx=start, reverse=reverse):
        result.frames.append(output.frame_idx)
        result.logits.append(output.pred_masks.flatten(0, -3).clone())
        result.presence.append(output.object_score_logits.flatten().clone())
    return result


def shift_presence(state: dict[str, Tensor], presence: list[float]) -> dict[str, Tensor]:
    """A state whose presence scores, if nothing else changed, would be negative on some frames and positive on others.

    Args:
        state: The state that gave the scores.
        presence: The scores of the tracked frames.
    """
    ordered = sorted(presence)
    gaps = [(high - low, (high + low) / 2) for low, high in pairwise(ordered)]
    _, middle = max(gaps)
    return {**state, PRESENCE_BIAS: state[PRESENCE_BIAS] - middle}
