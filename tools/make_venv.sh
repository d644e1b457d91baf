#!/bin/sh
# Make a virtual environment, or say in one sentence what is missing.
# usage: make_venv.sh PYTHON FOLDER
set -eu
python=$1
folder=$2

if [ -z "$python" ]; then
    echo "masklet needs Python 3.10 or newer and none was found; install one or name it: make PYTHON=/path/to/python3." >&2
    exit 1
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then
    echo "masklet needs Python 3.10 or newer and $python is not; name another one: make PYTHON=/path/to/python3." >&2
    exit 1
fi
if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    echo "$python cannot make virtual environments; install that part of Python (Debian, Ubuntu: apt install python3-venv) or name another one: make PYTHON=/path/to/python3." >&2
    exit 1
fi
"$python" -m venv "$folder"
