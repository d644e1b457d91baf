"""The encoder in ONNX Runtime, in float32 on the CPU."""

from __future__ import annotations

import onnxruntime
import torch
from torch import Tensor

from masklet.export.engine import Compiled

_QUIET = 3


class OnnxEngine:
    """Compiles for the CPU."""

    def __init__(self, *, num_threads: int) -> None:
        self._options = onnxruntime.SessionOptions()
        self._options.intra_op_num_threads = num_threads
        self._options.inter_op_num_threads = 1
        # or else a core is kept busy for 20 ms after each run, waiting, while torch wants it for the next call
        self._options.add_session_config_entry("session.force_spinning_stop", "1")
        self._options.log_severity_level = _QUIET

    @property
    def name(self) -> str:
        """Runtime and version."""
        return f"ONNX Runtime {onnxruntime.__version__}"

    def compile(self, content: bytes) -> Compiled:
        """Make an ONNX file ready to run."""
        session = onnxruntime.InferenceSession(content, self._options, providers=["CPUExecutionProvider"])
        (pixels_name,) = (one.name for one in session.get_inputs())

        def run(pixels: Tensor) -> tuple[Tensor, ...]:
            maps = session.run(None, {pixels_name: pixels.detach().contiguous().numpy()})
            return tuple(torch.from_numpy(one) for one in maps)

        return run
