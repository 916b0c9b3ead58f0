#!/usr/bin/env bash
# fuzz_api.sh - asks monitor-server what its openapi.json allows and what it forbids, for a minute, and fails on any finding
#
# The tool that asks is schemathesis (PyPI, one version, in a folder of target/); the server has a private PostgreSQL with
# some runs of jobs. Needs what `cargo build --release --workspace` makes. Leaves nothing running.
#
# Usage: scripts/fuzz_api.sh [SECONDS [SEED]]     how long to ask, 45; which questions, the same ones each time unless told
# Exit codes: 0 nothing found, 1 something found, 78 something it needs is missing, else that of what failed.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
tools=$PWD/target/release
export PATH="$tools:$PATH"
version=4.32.5
venv=$PWD/target/schemathesis-$version

scripts/need.sh python3 python3 python3-venv
scripts/need.sh openssl openssl
python3 -c 'import ensurepip, venv' 2>/dev/null || { echo "fuzz_api.sh: 'sudo apt-get install python3-venv' is needed" >&2; exit 78; }
for tool in monitor-server pipeline-status check-integrity job-run init-db; do
    [ -x "$tools/$tool" ] || { echo "fuzz_api.sh: no $tool; cargo build --release --workspace" >&2; exit 78; }
done
if [ ! -e "$venv/complete" ]; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$version"
    touch "$venv/complete"
fi

temporary=$(mktemp -d)
chmod 711 "$temporary"
unset DATABASE_URL PGHOST DB_HOST MONITOR_HOSTS
export DB_DIR=$temporary/postgres LOGS_DIR=$temporary/logs EXPORTS_DIR=$temporary/exports STATE_DIR=$temporary/state
# shellcheck disable=SC2317 # called by the trap
cleanup() {
    if [ -n "${server:-}" ]; then kill "$server" && wait "$server"; fi 2>/dev/null || true
    scripts/db.sh stop >&2
    rm -rf "$temporary"
}
trap cleanup EXIT
scripts/db.sh start
DATABASE_URL=$(scripts/db.sh url)
export DATABASE_URL
init-db
for job in load_users load_users live_sync; do job-run --job "$job" -- true; done
job-run --job nightly_sync -- false || true
check-integrity run >/dev/null 2>&1 || true

MONITOR_TOKEN=$(openssl rand -hex 32)
MONITOR_ADMIN_TOKEN=$(openssl rand -hex 32)
export MONITOR_TOKEN MONITOR_ADMIN_TOKEN
RUST_LOG=warn monitor-server --listen 127.0.0.1:0 --ready-file "$temporary/url" >"$temporary/said" 2>&1 &
server=$!
until [ -s "$temporary/url" ]; do
    kill -0 "$server" 2>/dev/null || { cat "$temporary/said" >&2; exit 1; }
    sleep 0.1
done
# shellcheck disable=SC2016 # schemathesis reads the variable, so that no command line shows the token
echo 'headers = { Authorization = "Bearer ${MONITOR_ADMIN_TOKEN}" }' >"$temporary/schemathesis.toml"
cd "$temporary"
code=0
"$venv/bin/schemathesis" --config-file schemathesis.toml run "$(cat url)/openapi.json" --max-time "${1:-45}" \
    --seed "${2:-42}" --request-timeout 30 --no-color || code=$?
kill -0 "$server" 2>/dev/null || { echo "fuzz_api.sh: the server is gone" >&2; code=1; }
if grep -q panicked said; then code=1; fi
if [ "$code" != 0 ]; then tail -n 50 said >&2; fi
cd - >/dev/null
exit "$code"
