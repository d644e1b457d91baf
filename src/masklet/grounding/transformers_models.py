"""The one place that speaks to transformers: models and tokenizers of a local folder or of the hub."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from masklet.errors import DamagedWeightsError, DownloadError, MissingExtraError, UnknownModelError

_EXTRA = "masklet[text]"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TextModel:
    """A model of transformers that takes text.

    Attributes:
        model: The network, in evaluation mode.
        tokenizer: Its tokenizer.
        config: The content of its config.json.
        name: The folder's name or the hub's.
    """

    model: Any
    tokenizer: Any
    config: Mapping[str, Any]
    name: str


def require_transformers() -> None:
    """Check that transformers is installed, without importing it.

    Raises:
        MissingExtraError: When it is not; says how to get it.
    """
    if importlib.util.find_spec("transformers") is None:
        raise MissingExtraError(
            f"Open-vocabulary detectors need the package transformers; install it with pip install '{_EXTRA}'."
        )


def read_folder_config(folder: Path) -> dict[str, Any]:
    """The config.json of a folder that transformers wrote.

    Raises:
        UnknownModelError: When there is none.
        DamagedWeightsError: When it is not a JSON object.
    """
    path = folder / "config.json"
    if not path.is_file():
        raise UnknownModelError(
            f"The folder {folder} holds no config.json; give a folder that transformers' save_pretrained wrote."
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DamagedWeightsError(
            f"The file {path} is not JSON ({error}); fetch the folder again."
        ) from error
    if not isinstance(content, dict):
        raise DamagedWeightsError(f"The file {path} is not a JSON object; fetch the folder again.")
    return content


def load_detector(source: str | Path, *, device: torch.device) -> TextModel:
    """A zero-shot detector and its tokenizer.

    Args:
        source: A local folder, or "owner/name" on the hub, which is fetched on first use and then kept.
        device: Where it runs.

    Raises:
        MissingExtraError: When transformers is not installed.
        UnknownModelError: When the folder is not one of a model.
        DownloadError: When the hub's model cannot be fetched and is not kept.
        DamagedWeightsError: When the files cannot be used.
    """
    require_transformers()
    from transformers import AutoModelForZeroShotObjectDetection, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    return _load(AutoModelForZeroShotObjectDetection, AutoTokenizer, source, device)


def load_encoder(source: Path) -> TextModel:
    """A sentence encoder and its tokenizer from a local folder, on the CPU.

    Raises:
        MissingExtraError: When transformers is not installed.
        UnknownModelError: When the folder is not one of a model.
        DamagedWeightsError: When the files cannot be used.
    """
    require_transformers()
    from transformers import AutoModel, AutoTokenizer

    return _load(AutoModel, AutoTokenizer, source, torch.device("cpu"))


def _load(model_class: Any, tokenizer_class: Any, source: str | Path, device: torch.device) -> TextModel:  # noqa: ANN401 - classes of an optional package
    is_local = Path(source).is_dir()
    if is_local:
        read_folder_config(Path(source))

    def read(*, is_offline: bool) -> tuple[Any, Any]:
        model = model_class.from_pretrained(str(source), local_files_only=is_offline, use_safetensors=True)
        return model, tokenizer_class.from_pretrained(str(source), local_files_only=is_offline)

    try:
        try:
            # What was fetched once is used without asking the hub, which without a network waits for it each time.
            model, tokenizer = read(is_offline=True)
        except OSError:
            if is_local:
                raise
            model, tokenizer = read(is_offline=False)
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        said = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        if is_local:
            raise DamagedWeightsError(
                f"The folder {source} cannot be loaded as a model of transformers ({said}); it must hold config.json, "
                "safetensors weights and the tokenizer."
            ) from error
        raise DownloadError(
            f"The detector {source} is not on this machine and could not be fetched ({said}); connect to the network "
            "once, or give the folder of a copy with --detector."
        ) from error
    return TextModel(
        model=model.to(device).eval(),
        tokenizer=tokenizer,
        config=model.config.to_dict(),
        name=Path(source).name if is_local else str(source),
    )
