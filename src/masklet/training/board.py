"""Curves of a run for TensorBoard, when the extra ``train`` is installed."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from masklet.errors import TrainingError
from masklet.training.loop import StepReport


class Board(Protocol):
    """Where curves go."""

    def add(self, report: StepReport) -> None:
        """Take in a step."""
        ...

    def close(self) -> None:
        """Finish writing."""
        ...


class TensorBoard:
    """Writes curves into a folder that ``tensorboard --logdir`` reads."""

    def __init__(self, folder: Path) -> None:
        """Open a folder.

        Raises:
            TrainingError: When tensorboard is not installed.
        """
        if find_spec("tensorboard") is None:
            raise TrainingError("TensorBoard is not installed; run: pip install 'masklet[train]'.")
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(folder))

    def add(self, report: StepReport) -> None:
        """Take in a step."""
        self._writer.add_scalar("loss", report.loss, report.step)
        self._writer.add_scalar("seconds", report.seconds, report.step)
        for kind, value in report.iou.items():
            self._writer.add_scalar(f"iou/{kind}", value, report.step)

    def close(self) -> None:
        """Finish writing."""
        self._writer.close()
