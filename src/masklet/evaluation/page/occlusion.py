"""The page of an occlusion run: whether presence tells seen from gone, a table of clips, and clips that fail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from masklet.evaluation.datasets import Clip
from masklet.evaluation.occlusion import OBJECT, OcclusionReport, OcclusionScore, OcclusionSummary, Sighting
from masklet.evaluation.page.charts import bar_chart
from masklet.evaluation.page.document import Page, Section, bar, card, problems_section, render, table
from masklet.evaluation.page.pictures import image_tag, objects_over
from masklet.masks import rle

_NUM_SHOWN = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenClip:
    """A clip to be shown with what the tracker says of it.

    Args:
        score: What was reached.
        clip: Frames and truth of its object 1.
        sightings: One for each frame.
    """

    score: OcclusionScore
    clip: Clip
    sightings: Sequence[Sighting]


def occlusion_page(
    report: OcclusionReport,
    worst: Sequence[SeenClip],
    *,
    title: str,
    facts: Mapping[str, object],
    problems: Sequence[str] = (),
) -> str:
    """The whole page as HTML.

    Args:
        report: Scores of every clip.
        worst: What is shown as failures.
        title: What was scored.
        facts: What run_facts tells.
        problems: What was missing or odd.
    """
    sections = [
        Section(title="Does it know when its object is gone?", note="", body=_charts(report)),
        Section(title="What happens to the object", note=_KINDS_NOTE, body=_kind_table(report)),
        Section(
            title="Clips",
            note="Mean presence while the object is seen and while it is gone; lost ones and low J first.",
            body=_clip_table(report),
        ),
    ]
    if worst:
        strips = "".join(map(_strip, worst))
        sections.append(Section(title="Where it fails", note=_STRIP_NOTE, body=strips))
    if problems:
        sections.append(problems_section(problems, note="Everything else was scored."))
    return render(
        Page(
            kicker="Leave and return",
            title=title,
            lead="An object of one photo moves over another, leaves the frame or hides, and comes back; its true mask is given "
            "on the first frame.",
            numbers=_numbers(report),
            sections=sections,
            facts=facts,
        )
    )


_KINDS_NOTE = (
    "AUC is the probability that presence is higher on a frame that shows the object than on one that does not; 0.5 is chance. "
    "A twin is a look-alike that stays in view."
)
_STRIP_NOTE = (
    "Above the truth, below the prediction; presence is how sure the model is that the object is there."
)


def _numbers(report: OcclusionReport) -> list[tuple[str, str]]:
    overall = report.overall()
    protocol = report.protocol
    return [
        (f"{overall.presence_auc:.3f}", "presence AUC"),
        (f"{100 * overall.region:.1f}", "J while it is seen"),
        (f"{100 * overall.found:.0f} %", f"found on frame {protocol.found_after} after its return"),
        (str(overall.num_clips), "clips"),
        (str(overall.num_visible), "frames that show it"),
        (str(overall.num_hidden), "frames without it"),
    ]


def _charts(report: OcclusionReport) -> str:
    seen = [value for clip in report.clips for value in clip.visible]
    gone = [value for clip in report.clips for value in clip.hidden]
    return (
        '<div class="charts">'
        + card("Presence on frames that show the object", bar_chart(seen, label="presence", of="frames"))
        + card(
            "Presence on frames without it",
            bar_chart(gone, label="presence", of="frames", is_high_good=False),
        )
        + "</div>"
    )


def _kind_table(report: OcclusionReport) -> str:
    header = [
        "what happens",
        "clips",
        "frames seen",
        "frames gone",
        "presence AUC",
        "J while seen",
        "found again",
    ]

    def cells(name: str, one: OcclusionSummary) -> list[str]:
        counts = [str(number) for number in (one.num_clips, one.num_visible, one.num_hidden)]
        return [escape(name), *counts, f"{one.presence_auc:.3f}", bar(one.region), f"{100 * one.found:.0f} %"]

    rows = [cells(_words(kind), one) for kind, one in report.by_kind().items()]
    return table(header, rows, mean=cells("all", report.overall()))


def _clip_table(report: OcclusionReport) -> str:
    header = ["clip", "presence seen", "presence gone", "J while seen", "after its return"]
    rows = [
        [
            escape(one.clip),
            f"{sum(one.visible) / len(one.visible):.2f}",
            f"{sum(one.hidden) / len(one.hidden):.2f}",
            bar(one.region),
            "found" if one.is_found else '<span class="low">lost</span>',
        ]
        for one in sorted(report.clips, key=lambda found: (found.is_found, found.region))
    ]
    return table(header, rows)


def _words(kind: str) -> str:
    return (
        kind.replace("exit", "leaves the frame")
        .replace("occluder", "hides")
        .replace(", twin", ", beside a twin")
    )


def _strip(one: SeenClip) -> str:
    clip = one.clip
    figures: list[str] = []
    for index in _telling_frames(clip):
        frame = clip.frame(index)
        true = clip.mask(OBJECT, index)
        is_seen = true is not None and bool(true.any())
        said = one.sightings[index]
        images = image_tag(
            objects_over(frame, {} if true is None else {OBJECT: true}),
            alt=f"Truth on frame {index} of {clip.name}",
            width=220,
        ) + image_tag(
            objects_over(frame, {OBJECT: said.mask}),
            alt=f"Prediction on frame {index} of {clip.name}",
            width=220,
        )
        caption = f"frame {index} · {'seen' if is_seen else 'gone'} · presence {said.presence:.2f}"
        figures.append(f"<figure>{images}<figcaption>{caption}</figcaption></figure>")
    state = "found again" if one.score.is_found else "lost"
    return (
        f'<article class="strip"><header><h3>{escape(clip.name)}</h3>'
        f"<span>{state} · J {one.score.region:.2f}</span></header>"
        f'<div class="frames">{"".join(figures)}</div></article>'
    )


def _telling_frames(clip: Clip) -> list[int]:
    """The first frame, the last before it is gone, one while it is gone, and three after its return."""
    areas = [0 if found is None else rle.area(found) for found in clip.truth[OBJECT]]
    gone = [index for index, area in enumerate(areas) if area == 0]
    if not gone:
        return list(range(0, clip.num_frames, max(1, clip.num_frames // _NUM_SHOWN)))
    last = clip.num_frames - 1
    returned = [gone[-1] + 1, (gone[-1] + 1 + last) // 2, last]
    chosen = [0, gone[0] - 1, gone[len(gone) // 2], *returned]
    return sorted({index for index in chosen if 0 <= index <= last})
