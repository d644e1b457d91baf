"""What the machine does while the studio is measured, and the clips it is measured on."""

from __future__ import annotations

import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from PIL import Image

from masklet.video import open_source

SAMPLE = Path(__file__).parents[1] / "samples" / "cup_shuffle" / "clip.mp4"
SIZE = (854, 480)
TICKS = os.sysconf("SC_CLK_TCK")
REST = 0.05
"""Share of the processors that other programs may take before a short measurement begins."""


def processor_ticks() -> dict[str, int]:
    """What the processors of this machine did since it started, in clock ticks."""
    names = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
    first = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:9]
    return dict(zip(names, map(int, first), strict=True))


def own_ticks(root: int) -> int:
    """Processor time of a process and all below it, in clock ticks."""
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        pid = int(path.parent.name)
        parents[pid], ticks[pid] = int(fields[1]), sum(map(int, fields[11:15]))

    def is_own(pid: int) -> bool:
        while pid > 1:
            if pid == root:
                return True
            pid = parents.get(pid, 0)
        return False

    return sum(used for pid, used in ticks.items() if is_own(pid))


@contextmanager
def load_of_machine(facts: dict[str, Any]) -> Generator[None]:
    """Put into ``facts`` what the machine's processors did meanwhile, as shares of their time."""
    before, own_before = processor_ticks(), own_ticks(os.getpid())
    yield
    after = processor_ticks()
    passed = {name: after[name] - before[name] for name in after}
    total = max(1, sum(passed.values()))
    own = own_ticks(os.getpid()) - own_before
    busy = total - passed["idle"] - passed["iowait"] - passed["steal"]
    facts["share_stolen_by_host"] = round(passed["steal"] / total, 3)
    facts["share_of_other_programs"] = round(max(0, busy - own) / total, 3)
    facts["share_of_benchmark"] = round(own / total, 3)
    facts["load_average"] = round(os.getloadavg()[0], 2)


def wait_for_rest(most_s: float = 60.0) -> None:
    """Wait until other programs leave this machine's processors alone, or for so long."""
    end = time.monotonic() + most_s
    meanwhile: dict[str, Any] = {}
    while time.monotonic() < end:
        with load_of_machine(meanwhile):
            time.sleep(1)
        if meanwhile["share_of_other_programs"] < REST:
            return


def resident_mb(pid: int) -> float:
    """Memory that a process holds."""
    return (
        int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
        * os.sysconf("SC_PAGE_SIZE")
        / 2**20
    )


def make_clip(path: Path, *, num_frames: int, fps: int) -> None:
    """The sample clip at 480p, to and fro until there are enough frames; long ones repeat the packets."""
    with open_source(SAMPLE) as source:
        count = min(num_frames, 2 * (source.num_frames or 0) - 2)
        order = [*range(source.num_frames or 0), *range((source.num_frames or 0) - 2, 0, -1)]
        pictures = [Image.fromarray(source.read(order[place]).image).resize(SIZE) for place in range(count)]
    packets: list[tuple[bytes, int, int, bool]] = []
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=fps, options={"g": "24", "bf": "0", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        stream.time_base = Fraction(1, fps)
        made = [packet for one in pictures for packet in stream.encode(av.VideoFrame.from_image(one))]
        made += stream.encode(None)
        packets = [(bytes(one), place, place, one.is_keyframe) for place, one in enumerate(made)]
        for place in range(num_frames):
            content, _, _, is_keyframe = packets[place % count]
            packet = av.Packet(content)
            packet.stream, packet.time_base = stream, Fraction(1, fps)
            packet.pts = packet.dts = place
            packet.duration, packet.is_keyframe = 1, is_keyframe
            output.mux(packet)
