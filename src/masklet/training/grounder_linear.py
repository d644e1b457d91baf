"""First stage of the head's training: the linear layer alone, fitted to the encoder as it is now in seconds."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from masklet.training.grounder_loop import HeadData

MAX_ITERATIONS = 40
PULL = 3e-4
"""How strongly the weights are held to those they start from: classes that few photos show stay as the teacher has them."""
_STEP = 2  # every second cell in both directions; neighbours say much the same


def fit_direct(layer: nn.Conv2d, data: HeadData, *, object_weight: float = 3.0) -> tuple[float, float]:
    """Fit the layer in place, by L-BFGS on all photos at once.

    Args:
        layer: From context channels to classes, set to the teacher's own.
        data: Maps and targets.
        object_weight: How much more a cell counts that shows an object.

    Returns:
        Loss before and after.
    """
    cells = data.maps.context[:, :, ::_STEP, ::_STEP].float().permute(0, 2, 3, 1).flatten(0, 2)
    coarse = F.avg_pool2d(data.probabilities.float(), 2)[:, :, ::_STEP, ::_STEP]
    wanted = coarse.permute(0, 2, 3, 1).flatten(0, 2)
    counts = 1 + object_weight * (1 - wanted[:, 0])
    start = [parameter.detach().clone() for parameter in layer.parameters()]
    optimiser = torch.optim.LBFGS(
        list(layer.parameters()), max_iter=MAX_ITERATIONS, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        logits = F.linear(cells, layer.weight.flatten(1), layer.bias)
        each = -(wanted * logits.log_softmax(dim=1)).sum(dim=1)
        moved = torch.stack(
            [(now - before).square().sum() for now, before in zip(layer.parameters(), start, strict=True)]
        )
        return (each * counts).sum() / counts.sum() + PULL * moved.sum()

    def closure() -> Tensor:
        optimiser.zero_grad()
        value = loss()
        value.backward()
        return value

    before = float(loss().detach())
    optimiser.step(closure)  # pyright: ignore[reportArgumentType] - the stub asks for a float, a tensor is usual
    return before, float(loss().detach())
