"""The front page of the package: its public names, and what importing it costs."""

import importlib.util
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import masklet

PUBLIC_CLASSES_AND_FUNCTIONS = sorted(set(masklet.__all__) - {"__version__"})
TORCH_FREE = [
    "errors",
    "geometry",
    "prompts",
    "masks",
    "annotations",
    "simulate",
    "video",
    "formats",
    "effects",
]


def run_python(program):
    """Run a program in a fresh interpreter and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def names_of_modules(package):
    """Dotted names of a module of masklet and of all modules inside it, or nothing when it does not exist."""
    found = importlib.util.find_spec(f"masklet.{package}")
    if found is None:
        return []
    folders = [Path(folder) for folder in found.submodule_search_locations or []]
    inside = [path.relative_to(folder) for folder in folders for path in sorted(folder.rglob("*.py"))]
    dotted = [".".join(path.with_suffix("").parts).removesuffix("__init__").rstrip(".") for path in inside]
    return [f"masklet.{package}", *(f"masklet.{package}.{name}" for name in dotted if name)]


@pytest.mark.parametrize("name", PUBLIC_CLASSES_AND_FUNCTIONS)
def test_every_public_name_is_found(name):
    name_where_defined = {"BoxPrompt": "Box"}.get(name, name)
    assert getattr(masklet, name).__name__ == name_where_defined


def test_a_public_name_is_the_one_its_module_defines():
    from masklet.prompts import Click

    assert masklet.Click is Click


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'masklet' has no attribute 'segment_everything'"):
        _ = masklet.segment_everything


def test_dir_lists_the_public_names():
    assert dir(masklet) == sorted(masklet.__all__)


def test_version_is_the_one_that_is_installed():
    assert masklet.__version__ == version("masklet")


def test_the_package_says_that_it_is_typed():
    assert Path(masklet.__file__).with_name("py.typed").is_file()


def test_importing_masklet_imports_no_other_package():
    program = "import sys; import masklet; print([name for name in ('torch', 'numpy', 'cv2', 'av') if name in sys.modules])"
    assert run_python(program) == "[]"


def test_values_video_and_files_need_no_torch():
    modules = [name for package in TORCH_FREE for name in names_of_modules(package)]
    assert {"masklet.errors", "masklet.geometry", "masklet.prompts"} <= set(modules)
    imports = "\n".join(f"import {name}" for name in modules)
    assert run_python(f"import sys\n{imports}\nprint('torch' in sys.modules)") == "False"


def test_a_bare_name_of_the_lazy_table_stays_imported():
    program = "import masklet; masklet.Click; print('Click' in vars(masklet))"
    assert run_python(program) == "True"


def test_every_folder_with_modules_is_a_package():
    folders = {path.parent for path in Path(masklet.__file__).parent.rglob("*.py")}
    assert [folder for folder in sorted(folders) if not (folder / "__init__.py").is_file()] == []


@pytest.mark.parametrize(
    ("said", "expected"),
    [({}, "4000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "active"}, "None")],
    ids=["nothing", "how often", "policy"],
)
def test_idle_threads_soon_leave_the_cores_to_others_unless_the_user_says_otherwise(
    monkeypatch, said, expected
):
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    assert run_python("import os, masklet; print(os.environ.get('GOMP_SPINCOUNT'))") == expected
