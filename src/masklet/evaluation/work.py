"""What each protocol does with one clip or photo, as work for do_items: JSON values that the report is made of.

Every function makes a model ready once; what it returns may be called for many items.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from masklet.evaluation.annotation_effort import EffortProtocol, frame_by_frame, track_and_correct
from masklet.evaluation.clicks import ClickProtocol, ObjectClicks, evaluate_still
from masklet.evaluation.datasets import Clip, Still, read_packed_stills, thinned
from masklet.evaluation.effort_report import Masklet, masklet_to_json
from masklet.evaluation.interactive import InteractiveProtocol, evaluate_interactive_clip
from masklet.evaluation.interactive_report import objects_to_json
from masklet.evaluation.items import Step, Work
from masklet.evaluation.layouts import ClipPlace
from masklet.evaluation.leaving_clips import LeavingConfig, leaving_clip_maker
from masklet.evaluation.occlusion import OcclusionScore, evaluate_leaving_clip
from masklet.evaluation.proposal_report import image_to_json
from masklet.evaluation.proposals import evaluate_still as search_still
from masklet.evaluation.recording import record_clip
from masklet.evaluation.subjects import (
    AutoSubject,
    ClickSubject,
    InteractiveSubject,
    PresenceSubject,
    TrackSubject,
)
from masklet.evaluation.vos import (
    ObjectScore,
    PromptKind,
    StartPrompt,
    Statistics,
    Track,
    evaluate_clip,
    num_start_clicks,
)
from masklet.masks.arrays import BoolArray
from masklet.weights.load import LoadedModel


def click_work(model: LoadedModel, *, protocol: ClickProtocol) -> Work[Still]:
    """Clicks on every object of a photo; see clicks_from_json."""
    subject = ClickSubject(model)

    def work(still: Still, _step: Step) -> Mapping[str, object]:
        return {"objects": [asdict(one) for one in evaluate_still(subject, still, protocol=protocol)]}

    return work


def clicks_from_json(values: Mapping[str, Any]) -> tuple[ObjectClicks, ...]:
    """The objects of a photo that click_work scored."""
    return tuple(ObjectClicks(**{**one, "ious": tuple(one["ious"])}) for one in values["objects"])


def search_work(model: LoadedModel, *, preset: str) -> Work[Still]:
    """Proposes masks for a photo: ``{"image": ...}`` for image_from_json, None in a photo without regions."""
    subject = AutoSubject(model, preset)

    def work(still: Still, _step: Step) -> Mapping[str, object]:
        found = search_still(subject, still)
        return {"image": None if found is None else image_to_json(found)}

    return work


def follow_work(
    model: LoadedModel, *, prompt: PromptKind, policy: str, is_end_left_out: bool
) -> Work[ClipPlace]:
    """Follows and scores the objects of a clip; see scores_from_json."""
    subject = TrackSubject(model, policy, start_clicks=num_start_clicks(prompt))

    def work(place: ClipPlace, step: Step) -> Mapping[str, object]:
        read = place.read()
        track = _told(subject, step)
        scores = evaluate_clip(track, read.clip, prompt=prompt, is_end_left_out=is_end_left_out)
        return {"objects": [asdict(one) for one in scores], "problems": list(read.problems)}

    return work


def scores_from_json(values: Mapping[str, Any]) -> tuple[ObjectScore, ...]:
    """The objects of a clip that follow_work scored."""
    return tuple(
        ObjectScore(**{**one, "region": Statistics(**one["region"]), "contour": Statistics(**one["contour"])})
        for one in values["objects"]
    )


def record_work(model: LoadedModel, *, prompt: PromptKind, policy: str, folder: Path) -> Work[ClipPlace]:
    """Follows the objects of a clip and writes its document into the folder; see record_clip."""
    subject = TrackSubject(model, policy, start_clicks=num_start_clicks(prompt))

    def work(place: ClipPlace, step: Step) -> Mapping[str, object]:
        record_clip(_told(subject, step), place, folder, prompt=prompt)
        return {}

    return work


def correct_work(model: LoadedModel, *, policy: str, protocol: InteractiveProtocol) -> Work[ClipPlace]:
    """Corrects the objects of a clip: what objects_from_json takes, and ``problems``."""
    subject = InteractiveSubject(model, policy)

    def work(place: ClipPlace, step: Step) -> Mapping[str, object]:
        read = place.read()
        on_frame = step if protocol.mode == "offline" else None
        found = evaluate_interactive_clip(subject, read.clip, protocol=protocol, on_frame=on_frame)
        return {**objects_to_json(found), "problems": list(read.problems)}

    return work


def annotate_work(
    model: LoadedModel, *, policy: str, protocol: EffortProtocol, every: int, most_frames: int | None
) -> Work[ClipPlace]:
    """Annotates the objects of a clip both ways: ``masklets`` for masklet_from_json, and ``problems``."""
    clicked, followed = ClickSubject(model), InteractiveSubject(model, policy)

    def work(place: ClipPlace, _step: Step) -> Mapping[str, object]:
        read = place.read()
        clip = thinned(read.clip, most=most_frames, step=every)
        masklets: list[Mapping[str, object]] = []
        for object_id in clip.object_ids:
            first = frame_by_frame(clicked, clip, object_id, protocol)
            second = track_and_correct(followed, clip, object_id, protocol)
            if first is not None and second is not None:
                masklets.append(masklet_to_json(Masklet(frame_by_frame=first, track_and_correct=second)))
        return {"masklets": masklets, "problems": list(read.problems)}

    return work


def see_work(model: LoadedModel, *, policy: str, photos: Path, config: LeavingConfig) -> Work[int]:
    """Makes the clip of a number from photos and follows its object; see seen_from_json."""
    subject = PresenceSubject(model, policy)
    # photos that cannot be read were named by who chose the numbers
    draw = leaving_clip_maker(list(read_packed_stills(photos, [])), config)

    def work(number: int, step: Step) -> Mapping[str, object]:
        return asdict(evaluate_leaving_clip(subject, draw(number), on_frame=step))

    return work


def seen_from_json(values: Mapping[str, Any]) -> OcclusionScore:
    """The clip that see_work scored."""
    return OcclusionScore(
        clip=values["clip"],
        kind=values["kind"],
        visible=tuple(values["visible"]),
        hidden=tuple(values["hidden"]),
        region=values["region"],
        is_found=bool(values["is_found"]),
    )


def _told(track: Track, step: Callable[[], None]) -> Track:
    """The same tracker; the step is called after each frame."""

    def told(clip: Clip, starts: Mapping[int, StartPrompt]) -> Iterator[Mapping[int, BoolArray]]:
        for masks in track(clip, starts):
            yield masks
            step()

    return told
