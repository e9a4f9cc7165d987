#!/bin/sh
# spark.sh PYTHON VENV: a virtual environment with PySpark, and in it the proof that a Spark cluster on this machine
# answers the questions to the lake as DuckDB does. Java 17 or newer is needed. What follows goes to the proof.
set -eu
python=$1 venv=$2
shift 2

command -v java > /dev/null 2>&1 || {
    echo "finalmarket: error: Spark needs Java 17 or newer; on Debian: apt-get install openjdk-17-jre-headless" >&2
    exit 2
}
if [ ! -x "$venv/bin/finalmarket" ] || ! "$venv/bin/python" -c 'import pyspark' 2> /dev/null; then
    "$python" -m venv "$venv"
    echo "Installing the locked packages, and PySpark (450 MB, some minutes the first time) ..."
    "$venv/bin/python" -m pip install -qq --require-hashes -r requirements-dev.lock
    "$venv/bin/python" -m pip install -qq "${PYSPARK:-pyspark>=4.0,<5}"
    "$venv/bin/python" -m pip install -qq --no-deps --no-build-isolation --editable .
fi
exec "$venv/bin/python" -W ignore::FutureWarning -m finalmarket.bench.analytics_spark "$@"
