"""SAM 2's video predictor over our sessions: frames are read when they are needed, and memory is bounded."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch
from torch import Tensor

from masklet.compat.sam2.building import build_for_video
from masklet.compat.sam2.inference_state import InferenceState
from masklet.compat.sam2.model import Sam2Model
from masklet.compat.sam2.prompts import read_prompts
from masklet.errors import PromptError, SessionError
from masklet.geometry import Size
from masklet.models.model import ABSENT_LOGIT
from masklet.predictors.compilation import Compilation
from masklet.predictors.options import SessionOptions
from masklet.predictors.preprocess import PostProcess, to_image_logits
from masklet.predictors.results import FrameResult
from masklet.predictors.video import VideoSession
from masklet.prompts import PromptSet
from masklet.weights.load import LoadedModel

if TYPE_CHECKING:
    from typing import Self  # Python 3.11; only type checkers read it

_TIDIED_LOGIT = 0.1

FrameOutput = tuple[int, list[Hashable], Tensor]
"""Frame index, object ids, and mask logits (n, 1, h, w) at video size in the order of the ids."""


class SAM2VideoPredictor:
    """Follows objects through videos; every state is its own session."""

    def __init__(
        self,
        model: Sam2Model | LoadedModel,
        fill_hole_area: int = 0,
        non_overlap_masks: bool = False,  # noqa: FBT001, FBT002 - the signature is given
        *,
        is_compiled: bool = False,
        **_unused: object,
    ) -> None:
        """Use a model; ``build_sam2_video_predictor`` does.

        Args:
            model: What ``build_sam2`` returned, or a loaded model.
            fill_hole_area: Holes of at most so many cells of the low-resolution mask are filled.
            non_overlap_masks: Whether every pixel belongs to at most one object.
            is_compiled: Whether frames of a SAM 2 model are compiled; "vos_optimized" of the builder.
        """
        self.model = model if isinstance(model, Sam2Model) else Sam2Model(model)
        self.tidying = PostProcess(hole_area=fill_hole_area, is_exclusive=non_overlap_masks)
        compilation = Compilation() if is_compiled else None
        self._options = SessionOptions(post_process=self.tidying, compilation=compilation)

    @classmethod
    def from_pretrained(cls, model_id: str, **kwargs: Any) -> Self:  # noqa: ANN401 - handed to the builder
        """A predictor with the model of the hub's name, such as "facebook/sam2.1-hiera-tiny"."""
        built = build_for_video(model_id, **kwargs)
        is_compiled = bool(kwargs.get("vos_optimized"))
        return cls(built.model, built.fill_hole_area, built.non_overlap_masks, is_compiled=is_compiled)

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return self.model.device

    @property
    def image_size(self) -> int:
        """Side of the square input in pixels."""
        return self.model.image_size

    def eval(self) -> Self:
        """Itself; it is always in evaluation mode."""
        return self

    def to(self, device: str | torch.device) -> Self:
        """Itself, moved to a device."""
        self.model.to(device)
        return self

    def init_state(
        self,
        video_path: Any,  # noqa: ANN401 - every kind of source is a border
        offload_video_to_cpu: bool = False,  # noqa: FBT001, FBT002, ARG002 - the signature is given
        offload_state_to_cpu: bool = False,  # noqa: FBT001, FBT002 - as above
        async_loading_frames: bool = False,  # noqa: FBT001, FBT002, ARG002 - as above
    ) -> InferenceState:
        """Open a video.

        Args:
            video_path: A folder of images, a video file, or anything else ``VideoSession`` takes.
            offload_video_to_cpu: Accepted; frames are read when they are needed and never all held.
            offload_state_to_cpu: Whether masks are given out on the CPU rather than on the model's device.
            async_loading_frames: Accepted; opening does not wait for frames anyway.

        Raises:
            MediaError: When it cannot be opened.
            SessionError: When it is a stream without a known end.
        """
        return self._state(
            VideoSession(self.model.loaded, video_path, options=self._options), offload_state_to_cpu
        )

    def _state(self, session: VideoSession, on_cpu: bool) -> InferenceState:  # noqa: FBT001 - one caller
        source = session.source
        if source is None or source.num_frames is None:
            session.close()
            raise SessionError("A stream has no number of frames; follow it with masklet.VideoSession.")
        return InferenceState(
            session=session,
            size=source.size,
            num_frames=source.num_frames,
            storage_device=torch.device("cpu") if on_cpu else self.device,
        )

    # prompts

    def add_new_points_or_box(
        self,
        inference_state: InferenceState,
        frame_idx: int,
        obj_id: Hashable,
        points: Any = None,  # noqa: ANN401 - arrays, tensors and lists are given
        labels: Any = None,  # noqa: ANN401 - as above
        clear_old_points: bool = True,  # noqa: FBT001, FBT002 - the signature is given
        box: Any = None,  # noqa: ANN401 - as above
        normalize_coords: bool = True,  # noqa: FBT001, FBT002 - as above
    ) -> FrameOutput:
        """Say where an object is on a frame by points or a box.

        Args:
            inference_state: The state.
            frame_idx: Frame index.
            obj_id: Any name or number; a new one makes a new object, also after tracking has begun.
            points: (n, 2) as x, y.
            labels: (n,) 1 on the object, 0 off it.
            clear_old_points: Whether earlier points of the object on this frame are forgotten; else these are added.
            box: x0, y0, x1, y1; only together with ``clear_old_points``.
            normalize_coords: Whether points and box are in pixels; else they are shares of the sides.

        Returns:
            Frame index, all object ids, and the mask logits in force on this frame (n, 1, h, w), -1024 where an object
            has none.

        Raises:
            PromptError: When the prompts do not fit.
        """
        if box is not None and not clear_old_points:
            raise PromptError("A box comes before points; give it with clear_old_points=True.")
        size = inference_state.size
        said = read_prompts(points, labels, box, size, is_in_pixels=normalize_coords)
        inner = inference_state.inner_ids.get(obj_id)
        known = {} if inner is None else inference_state.session.prompts_of(inner)
        earlier = known.get(frame_idx)
        if earlier is not None and not clear_old_points:
            said = PromptSet(clicks=(*earlier.clicks, *said.clicks), box=earlier.box or said.box)
        return self._prompt(inference_state, frame_idx, obj_id, said)

    def add_new_points(self, *args: Any, **kwargs: Any) -> FrameOutput:  # noqa: ANN401 - handed on
        """The older name of ``add_new_points_or_box``."""
        return self.add_new_points_or_box(*args, **kwargs)

    def add_new_mask(
        self,
        inference_state: InferenceState,
        frame_idx: int,
        obj_id: Hashable,
        mask: Any,  # noqa: ANN401 - arrays and tensors are given
    ) -> FrameOutput:
        """Say where an object is on a frame by its mask.

        Args:
            inference_state: The state.
            frame_idx: Frame index.
            obj_id: Any name or number.
            mask: (h, w), bool or 0 and 1; another size than the video's is brought to it.

        Returns:
            As ``add_new_points_or_box``.

        Raises:
            PromptError: When it is no mask.
        """
        given = mask.detach().cpu().numpy() if isinstance(mask, Tensor) else np.asarray(mask)
        if given.ndim != 2 or given.size == 0:
            raise PromptError(f"A mask must be (h, w), got shape {given.shape}.")
        size = inference_state.size
        if given.shape != size.hw:
            whole = (size.width, size.height)
            given = cv2.resize(given.astype(np.float32), whole, interpolation=cv2.INTER_LINEAR) >= 0.5
        return self._prompt(inference_state, frame_idx, obj_id, PromptSet(mask=given))

    def _prompt(
        self, state: InferenceState, frame_idx: int, obj_id: Hashable, prompts: PromptSet
    ) -> FrameOutput:
        is_new = obj_id not in state.inner_ids
        try:
            state.session.prompt(state.inner_id(obj_id, is_new_allowed=True), frame_idx, prompts)
        except PromptError:
            if is_new:
                del state.inner_ids[obj_id]
            raise
        return self._output(state, state.session.result_at(frame_idx))

    def clear_all_prompts_in_frame(
        self,
        inference_state: InferenceState,
        frame_idx: int,
        obj_id: Hashable,
        need_output: bool = True,  # noqa: FBT001, FBT002 - the signature is given
    ) -> FrameOutput | None:
        """Take back all that was said of an object on a frame.

        Returns:
            As ``add_new_points_or_box``, or None when no output is needed.

        Raises:
            SessionError: When there is no such object.
        """
        inner = inference_state.inner_id(obj_id, is_new_allowed=False)
        if frame_idx in inference_state.session.prompts_of(inner):
            inference_state.session.clear(inner, frame_idx)
        if not need_output:
            return None
        return self._output(inference_state, inference_state.session.result_at(frame_idx))

    def remove_object(
        self,
        inference_state: InferenceState,
        obj_id: Hashable,
        strict: bool = False,  # noqa: FBT001, FBT002 - the signature is given
        need_output: bool = True,  # noqa: FBT001, FBT002 - as above
    ) -> tuple[list[Hashable], list[tuple[int, Tensor]]]:
        """Remove an object.

        Returns:
            The object ids left, and the frames on which it was prompted with their new mask logits (n, 1, h, w).

        Raises:
            SessionError: When there is no such object and ``strict`` is set.
        """
        if obj_id not in inference_state.inner_ids and not strict:
            return inference_state.obj_ids, []
        inner = inference_state.inner_id(obj_id, is_new_allowed=False)
        session = inference_state.session
        frames = sorted(session.prompts_of(inner))
        session.remove(inner)
        del inference_state.inner_ids[obj_id]
        if not need_output or not inference_state.inner_ids:
            return inference_state.obj_ids, []
        outputs = [self._output(inference_state, session.result_at(frame)) for frame in frames]
        return inference_state.obj_ids, [(frame, masks) for frame, _, masks in outputs]

    def reset_state(self, inference_state: InferenceState) -> None:
        """Forget all objects; the video stays open."""
        old = inference_state.session
        inference_state.session = VideoSession(self.model.loaded, old.source, options=self._options)
        inference_state.inner_ids.clear()

    # tracking

    def propagate_in_video_preflight(self, inference_state: InferenceState) -> None:
        """Check that something was said; nothing has to be prepared.

        Raises:
            SessionError: When nothing was.
        """
        self._first_frame(inference_state)

    def propagate_in_video(
        self,
        inference_state: InferenceState,
        start_frame_idx: int | None = None,
        max_frame_num_to_track: int | None = None,
        reverse: bool = False,  # noqa: FBT001, FBT002 - the signature is given
    ) -> Iterator[FrameOutput]:
        """Follow all objects frame by frame.

        Args:
            inference_state: The state.
            start_frame_idx: Where to start; None for the earliest prompted frame.
            max_frame_num_to_track: How many frames after the first are visited; None for all.
            reverse: Whether it runs towards frame 0.

        Yields:
            Frame index, all object ids and mask logits (n, 1, h, w); -1024 where an object is absent, or was not yet
            prompted in this direction.

        Raises:
            SessionError: When nothing was said yet.
        """
        first = self._first_frame(inference_state)
        start = first if start_frame_idx is None else start_frame_idx
        most = inference_state.num_frames if max_frame_num_to_track is None else max_frame_num_to_track
        begin, end = (max(start - most, 0), start) if reverse else (start, start + most)
        stop = min(end + 1, inference_state.num_frames)
        for result in inference_state.session.track(begin, stop, backward=reverse):
            yield self._output(inference_state, result)

    @staticmethod
    def _first_frame(state: InferenceState) -> int:
        frames = [
            min(said) for inner in state.inner_ids.values() if (said := state.session.prompts_of(inner))
        ]
        if not frames:
            raise SessionError("Nothing was prompted yet; add points, a box or a mask first.")
        return min(frames)

    def _output(self, state: InferenceState, result: FrameResult) -> FrameOutput:
        masks = torch.full((len(state.inner_ids), 1, *state.size.hw), ABSENT_LOGIT)
        is_smooth = self.model.loaded.config.enlarges_smoothly
        for row, inner in enumerate(state.inner_ids.values()):
            if inner in result.masks:
                masks[row, 0] = _full_logits(
                    result.logits[inner], result.masks[inner], state.size, is_smooth=is_smooth
                )
        return result.index, state.obj_ids, masks.to(state.storage_device)


def _full_logits(low: np.ndarray, mask: np.ndarray, size: Size, *, is_smooth: bool) -> Tensor:
    """Logits (h, w) that are above 0 exactly where the tidied mask is."""
    full = to_image_logits(torch.from_numpy(low)[None], size, is_smooth=is_smooth)[0]
    is_on = torch.from_numpy(mask)
    full = torch.where(is_on & (full <= 0), _TIDIED_LOGIT, full)
    return torch.where(~is_on & (full > 0), -_TIDIED_LOGIT, full)
