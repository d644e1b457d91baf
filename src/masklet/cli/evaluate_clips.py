"""``masklet evaluate --task vos`` and ``--task occlusion``: objects followed through clips."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from masklet.cli.console import say
from masklet.cli.evaluate_options import Options, Scored, counted, facts_of
from masklet.cli.evaluate_predictions import WrittenOptions
from masklet.errors import MaskletError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from masklet.evaluation.occlusion import OcclusionScore
    from masklet.evaluation.vos import ObjectScore, VosReport
    from masklet.weights.load import LoadedModel


def _tell_objects(scores: Sequence[ObjectScore]) -> None:
    """J&F of each object, a line each."""
    for score in scores:
        say(f"{score.clip} object {score.object_id}: J&F {100 * score.j_and_f:.1f}")


def score_followed(model: LoadedModel, options: Options) -> Scored:
    """Follow every object from a prompt on its first frame; with a report the masks are kept and drawn."""
    from masklet.evaluation.report import vos_document, vos_table

    if options.report is not None:
        return _reported_vos(model, options, options.report)
    report = _followed(model, options)
    return Scored(
        table=vos_table(report, title=options.data.name),
        document=vos_document(report),
        values=_vos_values(report),
    )


def _followed(model: LoadedModel, options: Options) -> VosReport:
    """Every clip; one that cannot be read or followed is named and left out."""
    from masklet.evaluation.layouts import find_clips
    from masklet.evaluation.subjects import TrackSubject
    from masklet.evaluation.vos import VosReport, evaluate_clip, num_start_clicks

    subject = TrackSubject(model, options.policy, start_clicks=num_start_clicks(options.prompt))
    objects: list[ObjectScore] = []
    for place in find_clips(options.data)[1][: options.limit]:
        try:
            read = place.read()
            scores = evaluate_clip(subject, read.clip, prompt=options.prompt)
        except MaskletError as error:
            say(f"{place.name}: {error}")
            continue
        for problem in read.problems:
            say(problem)
        _tell_objects(scores)
        objects.extend(scores)
    return VosReport(prompt=options.prompt, objects=tuple(objects))


def _vos_values(report: VosReport) -> dict[str, object]:
    return {
        "j_and_f": round(report.j_and_f, 4),
        "j": round(report.region.mean, 4),
        "f": round(report.contour.mean, 4),
    }


def _reported_vos(model: LoadedModel, options: Options, folder: Path) -> Scored:
    """The same with the masks kept in the folder, so that it can go on after a stop and be drawn."""
    from masklet.cli.evaluate_predictions import score_shown, scoring_job
    from masklet.cli.evaluate_report import follow_and_keep, write_video_report
    from masklet.evaluation.score_report import scores_document, scores_table

    written = WrittenOptions(
        data=options.data, predictions=folder / "masks", counting="prompt", limit=options.limit
    )
    job = scoring_job(written)
    for problem in follow_and_keep(model, job, prompt=options.prompt, policy=options.policy):
        say(problem)
    scored = score_shown(job)
    title = f"{model.name} on {options.data.name}, {options.prompt} prompt"
    write_video_report(folder, job, scored, title=title, facts=facts_of(model, options))
    return Scored(
        table=scores_table(scored, title=title),
        document={**scores_document(scored), "prompt": options.prompt},
        values=_vos_values(scored.report),
    )


def score_occlusion(model: LoadedModel, options: Options) -> Scored:
    """See objects of made clips leave and return."""
    from masklet.evaluation.datasets import read_packed_stills
    from masklet.evaluation.leaving_clips import LeavingConfig, leaving_clips
    from masklet.evaluation.occlusion import evaluate_occlusion
    from masklet.evaluation.report import occlusion_document, occlusion_table
    from masklet.evaluation.subjects import PresenceSubject

    def tell(score: OcclusionScore) -> None:
        say(
            f"{score.clip}: J {100 * score.region:.1f}, {'found' if score.is_found else 'lost'} after its return"
        )

    config = LeavingConfig() if options.limit is None else LeavingConfig(num_clips=options.limit)
    clips = leaving_clips(list(read_packed_stills(options.data)), config)
    subject = PresenceSubject(model, options.policy)
    with counted("Tracking", config.num_clips * config.num_frames) as on_frame:
        report = evaluate_occlusion(subject, clips, on_frame=on_frame, on_clip=tell)
    overall = report.overall()
    values: dict[str, object] = {
        "presence_auc": round(overall.presence_auc, 4),
        "j_visible": round(overall.region, 4),
        "found_again": round(overall.found, 4),
    }
    table = occlusion_table(report, title=options.data.name)
    made = {
        "num_clips": config.num_clips,
        "num_frames": config.num_frames,
        "side": config.side,
        "seed": config.seed,
    }
    return Scored(table=table, document={**occlusion_document(report), "made": made}, values=values)
