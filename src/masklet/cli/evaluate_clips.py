"""``masklet evaluate --task vos``: objects followed through clips from a prompt on their first frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from masklet.cli.console import say
from masklet.cli.evaluate_items import work_through
from masklet.cli.evaluate_options import Options, Scored, facts_of, places_of
from masklet.cli.evaluate_predictions import WrittenOptions
from masklet.errors import MaskletError

if TYPE_CHECKING:
    from masklet.evaluation.items import Item
    from masklet.evaluation.layouts import ClipPlace
    from masklet.evaluation.scoring import ScoredPredictions, ScoringJob
    from masklet.evaluation.vos import VosReport
    from masklet.weights.load import LoadedModel


def score_followed(model: LoadedModel, options: Options) -> Scored:
    """Follow every object from a prompt on its first frame; with a report the masks are kept and drawn."""
    from masklet.evaluation.report import vos_document, vos_table

    if options.report is not None:
        return _reported_vos(model, options, options.report)
    problems: list[str] = []
    report = _followed(model, options, problems)
    for problem in problems:
        say(problem)
    document = vos_document(report)
    document["is_end_left_out"] = options.is_end_left_out
    if problems:
        document["problems"] = problems
    return Scored(
        table=vos_table(report, title=options.data.name), document=document, values=_vos_values(report)
    )


def _followed(model: LoadedModel, options: Options, problems: list[str]) -> VosReport:
    """Every clip; one that cannot be read or followed is named and left out."""
    from masklet.evaluation.vos import VosReport
    from masklet.evaluation.work import follow_work, scores_from_json

    def tell(_name: str, values: Mapping[str, Any]) -> None:
        for score in scores_from_json(values):
            say(f"{score.clip} object {score.object_id}: J&F {100 * score.j_and_f:.1f}")

    make = partial(
        follow_work, prompt=options.prompt, policy=options.policy, is_end_left_out=options.is_end_left_out
    )
    items = clip_items(places_of(options), problems)
    done = work_through(model, options, items, make, what="Tracking", on_item=tell)
    problems += [problem for values in done.values.values() for problem in values["problems"]]
    problems += done.problems
    objects = tuple(one for values in done.values.values() for one in scores_from_json(values))
    return VosReport(prompt=options.prompt, objects=objects)


def clip_items(places: Sequence[ClipPlace], problems: list[str], *, times: int = 1) -> list[Item[ClipPlace]]:
    """Clips as parts of a run, a step for each frame.

    Args:
        places: The clips.
        problems: Gets a sentence per clip whose frames cannot even be counted; it is left out.
        times: How often each frame is followed; 0 for one step for a whole clip.
    """
    from masklet.evaluation.items import Item

    items: list[Item[ClipPlace]] = []
    for place in places:
        try:
            num_steps = max(1, times * place.count_frames()) if times else 1
        except (MaskletError, OSError) as error:
            problems.append(f"{place.name}: {error}")
            continue
        items.append(Item(name=place.name, content=place, num_steps=num_steps))
    return items


def _vos_values(report: VosReport) -> dict[str, object]:
    return {
        "j_and_f": round(report.j_and_f, 4),
        "j": round(report.region.mean, 4),
        "f": round(report.contour.mean, 4),
    }


def _reported_vos(model: LoadedModel, options: Options, folder: Path) -> Scored:
    """The same with the masks kept in the folder, so that it can go on after a stop and be drawn."""
    from masklet.cli.evaluate_predictions import score_shown, scoring_job
    from masklet.cli.evaluate_report import write_video_report
    from masklet.evaluation.score_report import scores_document, scores_table

    written = WrittenOptions(
        data=options.data,
        predictions=folder / "masks",
        layout=options.layout,
        counting="prompt",
        is_end_left_out=options.is_end_left_out,
        names=options.names,
        limit=options.limit,
    )
    job = scoring_job(written)
    problems = _keep_masks(model, options, job)
    scored = _with_reasons(score_shown(job), problems)
    for problem in problems:
        say(problem)
    title = f"{model.name} on {options.data.name}, {options.prompt} prompt"
    write_video_report(folder, job, scored, title=title, facts=facts_of(model, options))
    return Scored(
        table=scores_table(scored, title=title),
        document={**scores_document(scored), "prompt": options.prompt},
        values=_vos_values(scored.report),
    )


def _with_reasons(scored: ScoredPredictions, problems: Sequence[str]) -> ScoredPredictions:
    """Say of clips without masks why there are none."""
    reasons = {problem.partition(":")[0]: problem for problem in problems}
    clips = tuple(
        replace(clip, problems=(reasons[clip.name],)) if clip.name in reasons and not clip.is_scored else clip
        for clip in scored.clips
    )
    return replace(scored, clips=clips)


def _keep_masks(model: LoadedModel, options: Options, job: ScoringJob) -> list[str]:
    """Follow every clip that the folder of predictions does not hold yet; tells what could not be followed."""
    from masklet.evaluation.journal import Journal
    from masklet.evaluation.recording import claim_folder, places_left
    from masklet.evaluation.work import record_work

    run = {
        "model": f"{model.name} at {model.config.image_size} px",
        "weights": model.weights_sha256 or "random",
        "policy": options.policy,
        "prompt": options.prompt,
    }
    claim_folder(job.predictions, run)
    problems: list[str] = []
    items = clip_items(places_left(job.places, job.predictions), problems)
    make = partial(record_work, prompt=options.prompt, policy=options.policy, folder=job.predictions)
    # the documents themselves tell what is finished
    done = work_through(model, options, items, make, what="Tracking", journal=Journal(None, ""))
    return [*problems, *done.problems]
