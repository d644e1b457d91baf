"""Encoders compiled for the threads there are."""

from concurrent.futures import ThreadPoolExecutor

import torch

from masklet.export.by_threads import CompiledByThreads
from masklet.models.threads import on_threads


def test_each_number_of_threads_has_its_own_encoder_compiled_once():
    made = []

    def compile_for(count):
        made.append(count)
        return lambda pixels: (pixels + count,)

    encode, pixels = CompiledByThreads(compile_for), torch.zeros(1)
    for count in (1, 2, 1, 2):
        with on_threads(count):
            assert encode(pixels)[0].item() == count
    assert made == [1, 2]


def test_threads_that_come_together_wait_for_one_compilation():
    made = []

    def compile_for(count):
        made.append(count)
        return lambda pixels: (pixels,)

    encode = CompiledByThreads(compile_for)

    def work(_):
        with on_threads(1):
            return encode(torch.zeros(1))

    with ThreadPoolExecutor(4) as pool:
        assert len(list(pool.map(work, range(8)))) == 8
    assert made == [1]
