"""Turns published state dicts into ours and back, by one table of names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from masklet.errors import MismatchedWeightsError
from masklet.models.config import SAM2_SIZES, HieraConfig, ModelConfig
from masklet.models.config import sam2 as sam2_config
from masklet.models.config import sam21 as sam21_config
from masklet.weights.match import Shapes, check_match
from masklet.weights.names import REVERSED_LEVELS, TABLE, TRANSFORMERS_COPY, Layout, Row

State = Mapping[str, Tensor]
_INDEX = re.compile(r"\.(\d+)(?=\.|$)")
_LEAVES = (".weight", ".bias")
_BY_NAME = {row.ours: row for row in TABLE}
_SIZE_MARKS: Mapping[Layout, tuple[str, str]] = {
    "official": ("image_encoder.trunk.patch_embed.proj.weight", "image_encoder.trunk.blocks."),
    "transformers": (
        "vision_encoder.backbone.patch_embed.projection.weight",
        "vision_encoder.backbone.blocks.",
    ),
}
_TIME_MARKS: Mapping[Layout, str] = {
    "official": "obj_ptr_tpos_proj.weight",
    "transformers": "temporal_positional_encoding_projection_layer.weight",
}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where one of our tensors is in a foreign layout: one name, or one name for each of its rows."""

    row: Row
    names: tuple[str, ...]

    @property
    def is_split(self) -> bool:
        return len(self.names) > 1


def _find_row(name: str) -> tuple[Row, str | None, str]:
    """The row of one of our names, the index in it that ``#`` stands for, and the leaf left over."""
    stem, leaf = name, ""
    if name not in _BY_NAME and name.endswith(_LEAVES):
        stem, _, tail = name.rpartition(".")
        leaf = f".{tail}"
    if stem in _BY_NAME:
        return _BY_NAME[stem], None, leaf
    for match in _INDEX.finditer(stem):
        pattern = f"{stem[: match.start()]}.#{stem[match.end() :]}"
        if pattern in _BY_NAME:
            return _BY_NAME[pattern], match[1], leaf
    raise MismatchedWeightsError(
        f"The tensor {name!r} has no published counterpart; only models of the sam2 family can be converted."
    )


def _place(name: str, shape: tuple[int, ...], layout: Layout) -> _Place:
    row, index, leaf = _find_row(name)
    foreign = row.foreign(layout)
    if row.is_stacked and layout == "official":
        return _Place(row, tuple(foreign.replace("#", str(k)) for k in range(shape[0])))
    if index is not None and row.is_reversed:
        index = str(REVERSED_LEVELS - int(index))
    return _Place(row, (foreign.replace("#", index or "") + leaf,))


def _foreign_shape(shape: tuple[int, ...], place: _Place) -> tuple[int, ...]:
    if place.is_split:
        return (1, *shape[1:])
    widened = list(shape)
    for axis in place.row.unit_axes:
        widened.insert(axis, 1)
    return tuple(widened)


def shapes_of(state: State) -> dict[str, tuple[int, ...]]:
    """The shape of every tensor."""
    return {name: tuple(tensor.shape) for name, tensor in state.items()}


def foreign_shapes(ours: Shapes, layout: Layout) -> dict[str, tuple[int, ...]]:
    """Names and shapes that a foreign layout gives to our tensors.

    Raises:
        MismatchedWeightsError: When one of our tensors has no counterpart there.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    for name, shape in ours.items():
        place = _place(name, shape, layout)
        shapes.update(dict.fromkeys(place.names, _foreign_shape(shape, place)))
    if layout == "transformers":
        original = _place("prompt_encoder.position.frequencies", (), layout).names[0]
        shapes[TRANSFORMERS_COPY] = shapes[original]
    return shapes


def to_foreign(state: State, layout: Layout) -> dict[str, Tensor]:
    """Our state dict under foreign names and shapes.

    Raises:
        MismatchedWeightsError: When one of our tensors has no counterpart there.
    """
    converted: dict[str, Tensor] = {}
    for name, tensor in state.items():
        shape = tuple(tensor.shape)
        place = _place(name, shape, layout)
        pieces = tensor.split(1) if place.is_split else (tensor.reshape(_foreign_shape(shape, place)),)
        converted.update((foreign, piece.clone()) for foreign, piece in zip(place.names, pieces, strict=True))
        if layout == "transformers" and name == "prompt_encoder.position.frequencies":
            converted[TRANSFORMERS_COPY] = tensor.clone()
    return converted


def from_foreign(
    state: State, layout: Layout, ours: Shapes, *, source: str, target: str
) -> dict[str, Tensor]:
    """A foreign state dict under our names and shapes.

    Args:
        state: The foreign tensors.
        layout: How they are named.
        ours: Names and shapes of our model.
        source: What holds the tensors, for messages.
        target: What the tensors are for, for messages.

    Raises:
        MismatchedWeightsError: When names or shapes are not those of the model.
    """
    expected = foreign_shapes(ours, layout)
    if layout == "transformers" and TRANSFORMERS_COPY not in state:
        del expected[TRANSFORMERS_COPY]
    check_match(shapes_of(state), expected, source=source, target=target)
    converted: dict[str, Tensor] = {}
    for name, shape in ours.items():
        place = _place(name, shape, layout)
        pieces = [state[foreign] for foreign in place.names]
        converted[name] = torch.cat(pieces) if place.is_split else pieces[0].reshape(shape)
    if layout == "transformers" and TRANSFORMERS_COPY in state:
        _check_copy(state[TRANSFORMERS_COPY], converted["prompt_encoder.position.frequencies"], source)
    return converted


def _check_copy(copy: Tensor, original: Tensor, source: str) -> None:
    if not torch.equal(copy, original):
        raise MismatchedWeightsError(
            f"The weights in {source} place points and image cells by different frequencies "
            f"({TRANSFORMERS_COPY} is no copy); masklet needs the same for both."
        )


def recognise_layout(names: Iterable[str]) -> Layout | None:
    """Which foreign layout the names belong to; None when neither."""
    known = set(names)
    for layout, (patch, _) in _SIZE_MARKS.items():
        if patch in known:
            return layout
    return None


def _width_and_depth(config: ModelConfig) -> tuple[int, int]:
    if not isinstance(config.encoder, HieraConfig):
        return 0, 0
    return config.encoder.embed_dim, sum(config.encoder.stage_depths)


def recognise_config(shapes: Shapes, layout: Layout, *, source: str) -> ModelConfig:
    """Which of the eight published models a state dict is, told by its width, depth and the age of pointers.

    Raises:
        MismatchedWeightsError: When it is none of them.
    """
    patch, blocks = _SIZE_MARKS[layout]
    width = shapes[patch][0] if shapes[patch] else 0
    depth = len({name.removeprefix(blocks).split(".")[0] for name in shapes if name.startswith(blocks)})
    build_config = sam21_config if _TIME_MARKS[layout] in shapes else sam2_config
    sizes = {_width_and_depth(config): config for config in map(build_config, SAM2_SIZES)}
    if (width, depth) in sizes:
        return sizes[width, depth]
    known = ", ".join(f"{w} and {d}" for w, d in sizes)
    raise MismatchedWeightsError(
        f"The weights in {source} are of no published size: the encoder has {width} channels and {depth} blocks, "
        f"known are {known}; train or convert them with the configuration they were made for."
    )
