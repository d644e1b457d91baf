"""``masklet evaluate --task occlusion``: objects of made clips that leave and return."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from masklet.cli.console import say
from masklet.cli.evaluate_items import work_through
from masklet.cli.evaluate_options import Options, Scored, facts_of
from masklet.cli.evaluate_report import write_files

if TYPE_CHECKING:
    from masklet.evaluation.leaving_clips import LeavingConfig
    from masklet.evaluation.occlusion import OcclusionReport
    from masklet.weights.load import LoadedModel

_NUM_SHOWN = 8


def score_occlusion(model: LoadedModel, options: Options) -> Scored:
    """See objects of made clips leave and return, and write the report when one is asked for.

    Raises:
        FormatError: When the photos are not there, or no clips can be made of them.
    """
    from masklet.evaluation.leaving_clips import LeavingConfig
    from masklet.evaluation.report import occlusion_document, occlusion_table

    config = LeavingConfig() if options.limit is None else LeavingConfig(num_clips=options.limit)
    problems: list[str] = []
    report = _seen(model, options, config, problems)
    for problem in problems:
        say(problem)
    overall = report.overall()
    values: dict[str, object] = {
        "presence_auc": round(overall.presence_auc, 4),
        "j_visible": round(overall.region, 4),
        "found_again": round(overall.found, 4),
    }
    made = {
        "num_clips": config.num_clips,
        "num_frames": config.num_frames,
        "side": config.side,
        "seed": config.seed,
    }
    document: dict[str, object] = {**occlusion_document(report), "made": made}
    if problems:
        document["problems"] = problems
    scored = Scored(table=occlusion_table(report, title=options.data.name), document=document, values=values)
    if options.report is not None:
        title = f"{model.name} on clips made of {options.data.name}"
        _write_report(model, options, config, report, scored, title=title, problems=problems)
    return scored


def _seen(
    model: LoadedModel, options: Options, config: LeavingConfig, problems: list[str]
) -> OcclusionReport:
    """Every clip; those that are finished are taken from the journal."""
    from masklet.evaluation.datasets import read_packed_stills
    from masklet.evaluation.items import Item
    from masklet.evaluation.occlusion import DEFAULT_PROTOCOL, OcclusionReport
    from masklet.evaluation.work import see_work, seen_from_json

    def tell(_name: str, values: Mapping[str, Any]) -> None:
        score = seen_from_json(values)
        say(
            f"{score.clip}: J {100 * score.region:.1f}, {'found' if score.is_found else 'lost'} after its return"
        )

    for _ in read_packed_stills(options.data, problems):
        pass  # what cannot be read is named once, whatever clips are left to do
    make = partial(see_work, policy=options.policy, photos=options.data, config=config)
    items = [
        Item(name=f"clip {number:03d}", content=number, num_steps=config.num_frames)
        for number in range(config.num_clips)
    ]
    done = work_through(model, options, items, make, what="Tracking", on_item=tell)
    problems += done.problems
    clips = tuple(seen_from_json(values) for values in done.values.values())
    return OcclusionReport(protocol=DEFAULT_PROTOCOL, clips=clips)


def _write_report(
    model: LoadedModel,
    options: Options,
    config: LeavingConfig,
    report: OcclusionReport,
    scored: Scored,
    *,
    title: str,
    problems: list[str],
) -> None:
    from masklet.evaluation.datasets import read_packed_stills
    from masklet.evaluation.failures import draw_seen, worst_clips
    from masklet.evaluation.leaving_clips import leaving_clip_maker
    from masklet.evaluation.page.occlusion import occlusion_page
    from masklet.evaluation.report import occlusion_csv
    from masklet.evaluation.subjects import PresenceSubject

    if options.report is None:
        return
    draw = leaving_clip_maker(list(read_packed_stills(options.data, [])), config)
    chosen = worst_clips(report, most=_NUM_SHOWN)
    worst = draw_seen(PresenceSubject(model, options.policy), draw, chosen)
    facts = facts_of(model, options)
    write_files(
        options.report,
        page=occlusion_page(report, worst, title=title, facts=facts, problems=problems),
        table=scored.table,
        document={**scored.document, "facts": facts},
        csv=occlusion_csv(report),
    )
