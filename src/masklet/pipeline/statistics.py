"""What a labelled data set holds, and what it would have cost by hand, with the assumptions said aloud."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from masklet.annotations import Project
from masklet.masks import rle

SMALL_AREA, MEDIUM_AREA = 32**2, 96**2
"""Areas in pixels below which COCO calls an object small and medium."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabourAssumptions:
    """What work by hand is taken to cost, in seconds.

    Attributes:
        outline_s: Outlining one object in one image with polygons. 79.2 s: COCO's "over 22 worker hours per 1,000
            segmentations" (Lin et al. 2014).
        frame_s: Masking one object on one video frame, frame by frame. 37.8 s: phase 1 of SA-V's data engine, SAM on
            every frame (Ravi et al. 2024).
        look_s: Looking at one proposed mask or track and accepting it. 2 s: our own assumption.
        redone: Share of the objects that a person does again by hand after the look, in [0, 1]. 0.2: our own assumption.
    """

    outline_s: float = 79.2
    frame_s: float = 37.8
    look_s: float = 2.0
    redone: float = 0.2


@dataclass(slots=True)
class DatasetStatistics:
    """Counts over documents, added one at a time."""

    num_images: int = 0
    num_videos: int = 0
    num_frames: int = 0
    num_empty: int = 0
    objects: dict[str, int] = field(default_factory=dict[str, int])
    masks: dict[str, int] = field(default_factory=dict[str, int])
    sizes: dict[str, int] = field(default_factory=lambda: {"small": 0, "medium": 0, "large": 0})
    area_shares: list[float] = field(default_factory=list[float])
    num_image_masks: int = 0
    num_video_masks: int = 0

    def add(self, project: Project, *, is_image: bool) -> None:
        """Count a document."""
        self.num_images += is_image
        self.num_videos += not is_image
        self.num_frames += project.video.num_frames or 0
        num_masks = 0
        for track in project.tracks.values():
            name = "" if track.label_id is None else project.labels[track.label_id].name
            areas = [rle.area(one.rle) for one in track.frames.values() if one.rle is not None]
            self.objects[name] = self.objects.get(name, 0) + 1
            self.masks[name] = self.masks.get(name, 0) + len(areas)
            num_masks += len(areas)
            for area in areas:
                self.sizes[_size_of(area)] += 1
            self.area_shares.extend(area / project.video.size.num_pixels for area in areas)
        self.num_image_masks += num_masks if is_image else 0
        self.num_video_masks += 0 if is_image else num_masks
        self.num_empty += num_masks == 0

    def to_json(self, assumed: LabourAssumptions | None = None) -> dict[str, object]:
        """All figures as a JSON value.

        Args:
            assumed: What work by hand costs.
        """
        costs = assumed or LabourAssumptions()
        by_hand_s = self.num_image_masks * costs.outline_s + self.num_video_masks * costs.frame_s
        num_objects = sum(self.objects.values())
        with_help_s = num_objects * costs.look_s + costs.redone * by_hand_s
        shares = sorted(self.area_shares)
        return {
            "images": self.num_images,
            "videos": self.num_videos,
            "frames": self.num_frames,
            "files_without_objects": self.num_empty,
            "objects": num_objects,
            "masks": sum(self.masks.values()),
            "objects_by_class": dict(sorted(self.objects.items())),
            "masks_by_class": dict(sorted(self.masks.items())),
            "masks_by_size": self.sizes,
            "median_area_share": round(shares[len(shares) // 2], 6) if shares else None,
            "by_hand_hours": round(by_hand_s / 3600, 3),
            "with_review_hours": round(with_help_s / 3600, 3),
            "saved_hours": round((by_hand_s - with_help_s) / 3600, 3),
            "assumptions": {
                "seconds_to_outline_an_object_in_an_image": costs.outline_s,
                "seconds_to_mask_an_object_on_a_video_frame": costs.frame_s,
                "seconds_to_look_at_an_object": costs.look_s,
                "share_of_the_work_redone_by_hand": costs.redone,
                "size_limits_px": [SMALL_AREA, MEDIUM_AREA],
            },
        }


def of_projects(projects: Iterable[tuple[Project, bool]]) -> DatasetStatistics:
    """Statistics of documents, each with whether it is an image."""
    found = DatasetStatistics()
    for project, is_image in projects:
        found.add(project, is_image=is_image)
    return found


def _size_of(area: int) -> str:
    if area < SMALL_AREA:
        return "small"
    return "medium" if area < MEDIUM_AREA else "large"
