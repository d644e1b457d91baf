"""How ``masklet evaluate`` goes through clips and photos: in one process or several, with the time left, resumable."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from masklet.cli.evaluate_options import ModelChoice, Options, journal_of
from masklet.cli.loading import load_chosen
from masklet.cli.progress import ProgressDisplay

if TYPE_CHECKING:
    from masklet.evaluation.items import Finished, Item, Work
    from masklet.evaluation.journal import Journal
    from masklet.weights.load import LoadedModel

Content = TypeVar("Content")
Make: TypeAlias = "Callable[[LoadedModel], Work[Content]]"
"""Makes a model ready for its work; a function of a module or a partial of one."""


def work_through(
    model: LoadedModel,
    options: Options,
    items: Sequence[Item[Content]],
    make: Make[Content],
    *,
    what: str,
    journal: Journal | None = None,
    on_item: Callable[[str, Mapping[str, Any]], None] | None = None,
) -> Finished:
    """Every item: those of the journal are taken from there, the others are done now.

    Args:
        model: The model of this process; further processes load their own.
        options: Number of processes, and which model they load.
        items: Clips or photos.
        make: See Make.
        what: What is being done, such as "Tracking".
        journal: What is finished; that of the options when None.
        on_item: Called with each item that is done now.

    Raises:
        ConfigError: When a process ends before its time.
    """
    from masklet.evaluation.items import do_items

    several = options.num_workers > 1
    prepare = (
        partial(_prepare, options.choice, make, _threads_each(options)) if several else partial(make, model)
    )
    with ProgressDisplay() as display:
        return do_items(
            items,
            prepare,
            num_workers=options.num_workers,
            journal=journal or journal_of(model, options),
            on_step=partial(display.advance, what),
            on_item=on_item,
        )


def _threads_each(options: Options) -> int:
    """The threads of this process, divided among the processes."""
    import torch

    return max(1, torch.get_num_threads() // options.num_workers)


def _prepare(choice: ModelChoice, make: Make[Content], num_threads: int) -> Work[Content]:
    """Load the model in a process of its own."""
    import cv2
    import torch

    torch.set_num_threads(num_threads)
    cv2.setNumThreads(num_threads)
    return make(
        load_chosen(choice.model, device=choice.device, runtime=choice.runtime, image_size=choice.image_size)
    )
