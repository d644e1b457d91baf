"""Measures again what is published: every benchmark in turn, then the page made of their results.

python tools/bench.py [DATA] [--only NAME ...]

DATA is the folder with the packed shards; without it what needs them is left out, and said. A benchmark that fails does not
stop the others; the last line tells which did, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = "benchmarks/results"
_EVALUATE = ("-m", "masklet", "evaluate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One command behind published figures.

    Attributes:
        name: How it is asked for.
        words: What follows ``python``; DATA stands for the folder of data.
    """

    name: str
    words: tuple[str, ...]

    @property
    def needs_data(self) -> bool:
        """Whether it reads the packed shards."""
        return any("DATA" in word for word in self.words)

    def command(self, data: Path | None) -> list[str]:
        """The command line."""
        return [sys.executable, *(word.replace("DATA", str(data)) for word in self.words)]


def script(name: str, *words: str) -> Claim:
    """A file of benchmarks/."""
    return Claim(name=name, words=(f"benchmarks/{name}.py", *words))


def evaluated(name: str, shard: str, *words: str) -> Claim:
    """A task of ``masklet evaluate`` with the embedded model."""
    out = ("--out", f"{RESULTS}/compact_{name}.json")
    return Claim(name=f"compact_{name}", words=(*_EVALUATE, f"DATA/{shard}", "--task", *words, *out))


CLAIMS = (
    evaluated("davis_mask", "davis-dev.tar", "vos", "--prompt", "mask"),
    evaluated("davis_click", "davis-dev.tar", "vos", "--prompt", "click"),
    evaluated("interactive", "davis-dev.tar", "interactive", "--rounds", "4"),
    evaluated("effort", "davis-dev.tar", "effort", "--every", "2"),
    evaluated("photos", "photos-dev.tar", "clicks", "--limit", "8"),
    evaluated("auto", "photos-dev.tar", "auto", "--preset", "balanced", "--limit", "2"),
    evaluated("occlusion", "photos-dev.tar", "occlusion"),
    script("davis_baselines", "--data", "DATA/davis-dev.tar"),
    script("annotation_effort", "DATA/davis-dev.tar", "--clips", "bear", "rollerblade", "--frames", "14"),
    script("grounder", "--data", "DATA", "--limit", "12"),
    script("similar", "--data", "DATA", "--limit", "24", "--sources", "leaves", "nuclei"),
    Claim(
        name="similar_coco",
        words=(
            *("benchmarks/similar.py", "--data", "DATA", "--sources", "coco"),
            *("--out", f"{RESULTS}/similar_coco.json"),
        ),
    ),
    script("reproduce", "--data", "DATA", "--out", "runs/reproduce"),
    script("cup_shuffle"),
    script("speed"),
    script("runtime"),
    script("peers"),
    script("retrack", "--frames", "48", "--corrected", "24"),
    script("contention"),
    script("profile_paths"),
    script("auto_masks", "--points", "32", "--likely", "0.5"),
    script("sam2_cpu"),
    script("sam2_frame", "--objects", "1"),
    Claim(name="sam2_frame_10", words=("benchmarks/sam2_frame.py", "--objects", "10")),
    Claim(name="sam2_first", words=("benchmarks/sam2_frame.py", "--first")),
    script("sam2_memory", "--objects", "10"),
    script("vos_scoring", "--clips", "4", "--frames", "16", "--repeats", "2"),
    script("studio"),
    script(
        "long_video",
        *("--frames", "108000", "--stretch", "500", "--baseline", "1000"),
        *("--side", "128", "--radius", "90", "--budget-mb", "6"),
    ),
    Claim(
        name="long_results",
        words=("benchmarks/long_video.py", "--results-only", "--frames", "108000", "--radius", "90"),
    ),
    script("gpu"),
)


def main() -> None:
    """Run what was asked for, and tell what failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, nargs="?", help="folder with the packed shards")
    parser.add_argument("--only", nargs="+", choices=[one.name for one in CLAIMS], metavar="NAME")
    asked = parser.parse_args()
    if asked.data is not None and not asked.data.is_dir():
        parser.error(f"there is no folder {asked.data}; give the one with the packed shards")
    failed: list[str] = []
    for claim in CLAIMS:
        if asked.only and claim.name not in asked.only:
            continue
        if claim.needs_data and asked.data is None:
            print(f"== {claim.name}: left out, it needs DATA", flush=True)
            continue
        command = claim.command(asked.data)
        print(f"== {claim.name}: {' '.join(command[1:])}", flush=True)
        if subprocess.run(command, cwd=ROOT, check=False).returncode:
            failed.append(claim.name)
    page = subprocess.run([sys.executable, "tools/bench_page.py"], cwd=ROOT, check=False)
    if failed or page.returncode:
        sys.exit(f"Failed: {', '.join(failed) or 'the page'}.")


if __name__ == "__main__":
    main()
