#!/usr/bin/env bash
# bench.sh - what a load costs: load-table beside raw COPY, the old jq and psql, DuckDB, sling and dlt, in the same rounds
#
# Builds, brings up a private PostgreSQL of its own, fills its tables with invented records from a seed, and prints tables:
# time over that of raw COPY in the same round, memory, log, rows written, rows wrong. docs/PERFORMANCE.md explains them. Who
# is not installed has a line that says so. All of it takes an hour; nothing but the runs stays, and peers.
#
# Usage: scripts/bench.sh [--quick] [--rows N] [--rounds N] [--only TABLE]… [--contender NAME]… [--seed N]
#        scripts/bench.sh --growth [--rows N] [--rounds N]     what a row costs at 10,000 rows and at 10 million (24 GB of disk)
#        scripts/bench.sh --table FILE…                        the tables of runs that were measured before
#        scripts/bench.sh --install-peers                      DuckDB, sling and dlt from PyPI, in pinned versions
#   --quick  20,000 rows at most, two rounds: some minutes
# Environment: BENCH_DIR (target/bench), the folder of database, records, runs and peers.
# Exit codes: 0 done, 1 failed, 2 usage, 65 runs without the floor of their round, 78 something it needs is missing.
set -euo pipefail
BENCH_DIR=$(realpath -m "${BENCH_DIR:-$(dirname "$(readlink -f "$0")")/../target/bench}")
if [ "${1:-}" = --table ]; then files=$(realpath -e "${@:2}"); fi
cd "$(dirname "$(readlink -f "$0")")/.."
export PATH="${HOME:-/root}/.cargo/bin:$PATH"
peers=$BENCH_DIR/peers

if [ "${1:-}" = --install-peers ]; then
    scripts/need.sh jq jq
    scripts/need.sh python3 python3 python3-venv
    python3 -m venv --clear "$peers"
    "$peers/bin/pip" install --quiet --disable-pip-version-check -r crates/bench/peers/requirements.txt
    touch "$peers/complete"
    exit
fi

command -v cargo >/dev/null || { echo "bench.sh: no cargo here; install Rust, https://rustup.rs" >&2; exit 78; }
cargo build --release --locked --quiet --workspace
action=measure
options=()
while [ $# -gt 0 ]; do
    case $1 in
        --table) mapfile -t options <<<"$files" && exec target/release/bench table "${options[@]}" ;;
        --quick) options+=(--rows 20000 --rounds 2) ;;
        --growth) action=growth ;;
        *) options+=("$1") ;;
    esac
    shift
done

unset DATABASE_URL PGHOST DB_HOST
export DB_DIR=$BENCH_DIR/postgres RUST_LOG=${RUST_LOG:-bench=info}
runs=$BENCH_DIR/$action-$(date -u +%Y%m%dT%H%M%SZ).ndjson
# shellcheck disable=SC2317 # called by the trap
cleanup() { scripts/db.sh stop && rm -rf "$DB_DIR" "$BENCH_DIR/data"; }
trap cleanup EXIT
scripts/db.sh start
DATABASE_URL=$(scripts/db.sh url)
export DATABASE_URL
target/release/bench "$action" --folder "$BENCH_DIR/data" --peers "$peers" --runs "$runs" "${options[@]}"
echo "bench.sh: the runs are in $runs" >&2
target/release/bench table "$runs"
