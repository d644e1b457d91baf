#!/bin/sh
# Smoke test of what a user installs: build the wheel, install it alone in an empty environment, and track the sample
# clip from a folder that is not this one, so that nothing but the wheel can be imported.
# usage: wheel_test.sh PYTHON_WITH_BUILD TORCH_PIN
set -eu
builder=$1
torch_pin=$2
top=$(pwd)
work=$top/build/wheel-test
empty=$work/venv

rm -rf "$work"
mkdir -p "$work/away"
echo "Building the wheel"
"$builder" -m build --wheel --no-isolation --outdir "$work" . >"$work/build.log" 2>&1 || { cat "$work/build.log" >&2; exit 1; }

echo "Installing the wheel in an empty environment"
"$builder" -m venv "$empty"
pip_install() {
    "$empty/bin/python" -m pip install --quiet --quiet --disable-pip-version-check --no-input --no-compile \
        --constraint constraints.txt "$@"
}
pip_install "$torch_pin"
pip_install "$work"/masklet-*.whl

cd "$work/away"
unset PYTHONPATH
"$empty/bin/python" "$top/tools/check_install.py" "$empty"
"$empty/bin/masklet" track "$top/samples/cup_shuffle/clip.mp4" --prompts "$top/samples/cup_shuffle/prompts.json" \
    --out tracked --overlay overlay.mp4
[ -s overlay.mp4 ] || { echo "masklet track wrote no overlay." >&2; exit 1; }
[ -n "$(find tracked -type f -size +0)" ] || { echo "masklet track wrote no masks." >&2; exit 1; }
cd "$top"
rm -rf "$work/venv" "$work/away"
echo "The wheel installs alone and tracks the sample clip."
