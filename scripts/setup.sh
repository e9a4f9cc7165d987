#!/bin/sh
# setup.sh PYTHON VENV LOCK: a virtual environment holding exactly what LOCK says, and this project in it.
# A stamp inside the environment remembers what was installed; a dev environment serves for a plain one too.
set -eu
python=$1 venv=$2 lock=$3

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "finalmarket: error: Python 3.11 or newer is needed; name one with: make PYTHON=/path/to/python3.11" >&2
    exit 2
}
wanted=$(cat "$lock" pyproject.toml | cksum)
if [ -x "$venv/bin/finalmarket" ] && grep -qsF "$lock $wanted" "$venv/installed"; then
    exit 0
fi
dev=requirements-dev.lock
if [ "$lock" != "$dev" ] && [ -x "$venv/bin/finalmarket" ] \
    && grep -qsF "$dev $(cat $dev pyproject.toml | cksum)" "$venv/installed"; then
    exit 0
fi
if [ ! -x "$venv/bin/python" ]; then
    echo "Making a virtual environment in $venv ..."
    "$python" -m venv "$venv" || {
        echo "finalmarket: error: $python cannot make virtual environments; on Debian: apt-get install python3-venv" >&2
        exit 2
    }
fi
echo "Installing the locked packages of $lock (a minute or two the first time) ..."
"$venv/bin/python" -m pip install -qq --require-hashes -r "$lock"
"$venv/bin/python" -m pip install -qq --no-deps --no-build-isolation --editable .
echo "$lock $wanted" > "$venv/installed"
