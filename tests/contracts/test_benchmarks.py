"""What is published of benchmarks comes from their results, and one command measures all of it."""

from pathlib import Path

import pytest
import typer

TOP = Path(__file__).parents[2]
PARTS_OF_OTHERS = {"sam2_peer", "studio_client", "studio_machine", "studio_page"}


@pytest.fixture
def tools(monkeypatch):
    monkeypatch.syspath_prepend(str(TOP / "tools"))


@pytest.mark.usefixtures("tools")
def test_the_page_says_what_the_results_say():
    import bench_page

    assert bench_page.PAGE.read_text(encoding="utf-8") == bench_page.page(), "run tools/bench_page.py"
    stored = {path.name: path.read_text(encoding="utf-8") for path in bench_page.CHARTS.glob("*.svg")}
    assert stored == bench_page.charts(), "run tools/bench_page.py"


@pytest.mark.usefixtures("tools")
def test_every_result_is_named_with_its_command_commit_and_machine():
    import bench_page

    for path in bench_page.RESULTS.glob("*.json"):
        assert f"/{path.name})" in bench_page.page()
        facts = bench_page.facts_of(bench_page.result(path.stem))
        assert {"command", "commit", "machine"} <= set(facts), path.name


@pytest.mark.usefixtures("tools")
def test_the_runner_knows_every_benchmark():
    import bench

    scripts = {Path(claim.words[0]).stem for claim in bench.CLAIMS if claim.words[0].endswith(".py")}
    assert scripts | PARTS_OF_OTHERS == {path.stem for path in (TOP / "benchmarks").glob("*.py")}
    names = [claim.name for claim in bench.CLAIMS]
    assert len(names) == len(set(names))


@pytest.mark.usefixtures("tools")
def test_the_runner_evaluates_with_options_that_exist():
    import bench

    from masklet.cli.main import build_app

    evaluate = typer.main.get_command(build_app()).commands["evaluate"]
    asked = [claim for claim in bench.CLAIMS if claim.words[0] == "-m"]
    assert len(asked) > 5
    for claim in asked:
        assert claim.needs_data
        context = evaluate.make_context("evaluate", claim.command(TOP)[4:])
        assert str(context.params["out"]).endswith(f"{claim.name}.json")


@pytest.mark.usefixtures("tools")
@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0, 450, [0, 100, 200, 300, 400]), (0.2, 1, [0.2, 0.4, 0.6, 0.8, 1.0]), (0, 6, [0, 1, 2, 3, 4, 5, 6])],
)
def test_charts_have_a_grid_of_round_numbers(low, high, expected):
    from bench_charts import _ticks

    assert _ticks(low, high) == expected


@pytest.mark.usefixtures("tools")
def test_charts_say_their_numbers():
    from bench_charts import bars, lines

    chart = bars("Times <ours>", {"a & b": 2.0, "c": 1.0}, form="{:.1f}")
    assert "Times &lt;ours&gt;" in chart
    assert "a &amp; b" in chart
    assert chart.count("<rect") == 2
    curve = lines("Grown", {"one": [(0, 0), (10, 5)]}, axes=("frames", "MB"), low=0, high=10)
    assert "Grown (MB)" in curve
    assert curve.count("<path class") >= 3
