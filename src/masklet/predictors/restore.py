"""What a session knows of an object, taken out as values and put back, without tracking again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch

from masklet.errors import SessionError
from masklet.predictors.object_store import check_object_id
from masklet.predictors.video import VideoSession
from masklet.prompts import PromptSet
from masklet.tracking.state import ObjectState, StoredMask


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownObject:
    """An object of a session.

    Attributes:
        prompts: What was said, by frame.
        results: Masks in force, by frame; each prompted frame has one.
    """

    prompts: Mapping[int, PromptSet]
    results: Mapping[int, StoredMask]


def result_of(session: VideoSession, object_id: int, frame: int) -> StoredMask | None:
    """The mask in force of an object on a frame, as it is stored, or None."""
    state = session._store.objects.get(object_id)
    return None if state is None else state.results.get(frame)


@torch.inference_mode()
def restore_object(session: VideoSession, object_id: int, known: KnownObject) -> None:
    """Put an object into a session as it was; an object of this id is replaced.

    The masks come back bit for bit. The memories of prompted frames are made again from their masks, so frames that
    are tracked from here on may differ a little from those of an unbroken session.

    Args:
        session: A session with a source.
        object_id: A whole number from 1.
        known: Its prompts and masks.

    Raises:
        PromptError: When the id is not usable.
        SessionError: When a prompted frame has no mask.
    """
    check_object_id(object_id)
    bare = sorted(set(known.prompts) - set(known.results))
    if bare:
        raise SessionError(
            f"Object {object_id} is prompted on frame {bare[0]}, which has no mask; prompt it again."
        )
    store, engine = session._store, session._engine
    if object_id in store.objects:
        store.remove(object_id)
    results = store.new_results()
    for frame, result in known.results.items():
        results[frame] = replace(result, version=store.next_version())
    state = ObjectState(prompts=dict(known.prompts), results=results)
    for frame in known.prompts:
        state.conditioning[frame] = engine.remember_again(session._read(frame), results[frame])
    store.objects[object_id] = state


def known_object(session: VideoSession, object_id: int) -> KnownObject:
    """What a session knows of an object.

    Raises:
        SessionError: When there is no such object.
    """
    state = session._store.state(object_id)
    return KnownObject(prompts=dict(state.prompts), results=state.results.copy())


def count_results(session: VideoSession) -> int:
    """A number that only later results exceed; see ``results_since``."""
    return session._store.next_version()


def results_since(session: VideoSession, frame: int, count: int) -> dict[int, StoredMask]:
    """Masks on a frame that were computed after ``count_results`` was asked, by object id."""
    found = {object_id: state.results.get(frame) for object_id, state in session._store.objects.items()}
    return {key: one for key, one in sorted(found.items()) if one is not None and one.version > count}
