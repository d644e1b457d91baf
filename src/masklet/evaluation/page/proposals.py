"""The page of automatic masks: recall by IoU and size, a radar of the domains, and the images found worst."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from masklet.evaluation.page.charts import Line, bar_chart, colour_key, line_chart, radar_chart
from masklet.evaluation.page.document import Page, Section, bar, card, problems_section, render, table
from masklet.evaluation.page.pictures import image_tag, objects_over
from masklet.evaluation.proposals import SIZES, ImageRecall, ProposalReport, ProposalSummary
from masklet.masks import rle
from masklet.masks.arrays import ByteArray
from masklet.masks.rle import RLE

_LEAST_DOMAINS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnImage:
    """An image to be shown.

    Args:
        found: What was found in it.
        image: RGB uint8 (h, w, 3).
        regions: The true regions.
        proposals: What was proposed.
    """

    found: ImageRecall
    image: ByteArray
    regions: Sequence[RLE]
    proposals: Sequence[RLE]


def proposals_page(
    report: ProposalReport,
    worst: Sequence[DrawnImage],
    *,
    title: str,
    facts: Mapping[str, object],
    problems: Sequence[str] = (),
) -> str:
    """The whole page as HTML.

    Args:
        report: What was found.
        worst: Images to show, worst first.
        title: What was scored.
        facts: What run_facts tells.
        problems: What was missing or odd.
    """
    sections = [
        Section(title="What is found", note=_CURVE_NOTE, body=_charts(report)),
        Section(title="Domains", note=_DOMAIN_NOTE, body=_domain_table(report)),
        Section(
            title="Where it fails",
            note="Left the true regions, right what was proposed; images with the lowest covering, spread over domains.",
            body=f'<div class="pairs">{"".join(map(_pair, worst))}</div>',
        ),
    ]
    if problems:
        sections.append(problems_section(problems))
    return render(
        Page(
            kicker="Automatic masks",
            title=title,
            lead="Every true region is looked for among the masks that are proposed without a prompt. Average recall (AR) "
            "is the part of the regions that are found, averaged over the IoU thresholds 0.50, 0.55 … 0.95; each "
            "proposal finds one region at most.",
            numbers=_numbers(report),
            sections=sections,
            facts=facts,
        )
    )


_CURVE_NOTE = "The area under each curve of recall is, but for its scale, the average recall."
_DOMAIN_NOTE = (
    "AR by size counts all proposals; small is up to 32 x 32 pixels, large from 96 x 96. Covering is the mean IoU of a "
    "region with its best proposal, weighted by area; covered the part of the true pixels in any proposal."
)


def _numbers(report: ProposalReport) -> list[tuple[str, str]]:
    found = report.overall()
    return [
        *[(f"{100 * found.recall[k]:.1f}", f"AR, {k:,} proposals") for k in reversed(report.protocol.most)],
        (f"{100 * found.covering:.1f}", "covering"),
        (f"{100 * found.covered:.1f}", "pixels covered"),
        (f"{found.mean_proposals:.0f}", "proposals an image"),
        (f"{found.num_regions:,}", "regions"),
        (f"{found.num_images:,}", "images"),
    ]


def _charts(report: ProposalReport) -> str:
    most = report.protocol.most
    names = [f"{k:,} proposals" for k in most]
    sources = report.by_source()
    parts: list[str] = []
    if len(sources) >= _LEAST_DOMAINS:
        layers = {
            name: [one.recall[k] for one in sources.values()] for name, k in zip(names, most, strict=True)
        }
        chart = radar_chart(list(sources), layers) + colour_key(names)
        parts.append(card("Average recall of each domain", chart))
    lines = [Line(name=name, points=report.recall_curve(k)) for name, k in zip(names, most, strict=True)]
    curve = line_chart(lines, x_label="IoU", y_label="recall", ticks=(0.5, 0.6, 0.7, 0.8, 0.9, 0.95))
    parts.append(card("How exact are they?", curve + colour_key(names)))
    values = [value for one in report.images for value in one.best_ious]
    parts.append(
        card("How many regions are found well?", bar_chart(values, label="IoU with the best proposal"))
    )
    return f'<div class="charts">{"".join(parts)}</div>'


def _domain_table(report: ProposalReport) -> str:
    most = report.protocol.most
    sizes = [size for size in SIZES if size != "all"]
    header = ["domain, hardest first", "regions", *[f"AR@{k}" for k in most[:-1]], f"AR@{most[-1]}"]
    header += [*sizes, "covering", "covered"]

    def cells(name: str, one: ProposalSummary) -> list[str]:
        by_size = [one.recall_by_size.get(size) for size in sizes]
        return [
            escape(name),
            str(one.num_regions),
            *[f"{one.recall[k]:.3f}" for k in most[:-1]],
            bar(one.recall[most[-1]]),
            *["" if value is None else f"{value:.3f}" for value in by_size],
            f"{one.covering:.3f}",
            f"{one.covered:.3f}",
        ]

    ordered = sorted(report.by_source().items(), key=lambda item: item[1].recall[most[-1]])
    mean = cells("all regions together", report.overall())
    return table(header, [cells(name, one) for name, one in ordered], mean=mean)


def _pair(one: DrawnImage) -> str:
    pictures = [
        (one.regions, f"True regions of {one.found.image}"),
        (one.proposals, f"Proposals for {one.found.image}"),
    ]
    tags = "".join(image_tag(_drawn(one.image, masks), alt=alt, width=340) for masks, alt in pictures)
    words = (
        f"{escape(one.found.image)} · {len(one.regions)} regions, {len(one.proposals)} proposals · "
        f"covering {one.found.covering:.2f}"
    )
    return f'<figure class="card"><div>{tags}</div><figcaption><b>{escape(one.found.source)}</b><br>{words}</figcaption></figure>'


def _drawn(image: ByteArray, masks: Sequence[RLE]) -> ByteArray:
    """Large masks first, so that small ones are seen on them."""
    ordered = sorted(masks, key=rle.area, reverse=True)
    return objects_over(image, {number: rle.decode(mask) for number, mask in enumerate(ordered)})
