#!/usr/bin/env bash
# faults.sh - the whole of the fault matrix: every fault of docs/FAULTS.md on the real tools, a mock and real PostgreSQLs
#
# scripts/test.sh runs a short form. Here every table is mirrored, tools are killed before each of their system calls and at
# two hundred moments by chance, connections break at more places, every column of every table drifts; then run all other
# tests that the matrix names. What cannot be tried on this machine (small disks want root; strace and faketime are
# installed where that is allowed) is named as skipped. At its end it prints how many faults were injected, how many
# survived, and how many rows were lost. Takes half an hour.
#
# Usage: scripts/faults.sh [SEED]     where chance begins, 42 when it is not said; failures name it
# Environment: FAULTS_ROUNDS (12) times the short form, FAULTS_KILLS (200); TEST_DATABASE_URL, else a private PostgreSQL is
# brought up and removed. One test by hand: FAULTS_SEED=7 cargo test --release --test faults NAME
# Exit codes: 0 all survived and no row lost, 2 wrong usage, 78 no cargo, else something did not.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
export PATH="${HOME:-/root}/.cargo/bin:$PATH"
[[ $# -le 1 && ${1:-42} =~ ^[0-9]{1,9}$ ]] || { sed -n '2,/^set -/{/^#/s/^# \{0,1\}//p}' "$0" >&2; exit 2; }
command -v cargo >/dev/null || { echo "faults.sh: no cargo here; install Rust, https://rustup.rs" >&2; exit 78; }
for tool in strace faketime; do scripts/need.sh "$tool" "$tool" || true; done
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
export FAULTS_ROUNDS="${FAULTS_ROUNDS:-12}" FAULTS_KILLS="${FAULTS_KILLS:-200}" FAULTS_SEED="${1:-42}"
export FAULTS_TALLY="$temporary/tally"
matrix=tests/faults/matrix.toml
touch "$FAULTS_TALLY"

cargo build --release --locked --workspace
code=0
run() { cargo test --release --locked --workspace --no-fail-fast "$@" | tee -a "$temporary/output" || code=$?; }
run --test faults
others=$(grep -v '"tests/faults/' "$matrix" | sed -n 's/.*::\([a-z0-9_]*\)".*/\1/p' | sort -u)
mapfile -t others <<<"$others"
run --tests -- "${others[@]}"
echo "== seed $FAULTS_SEED, $FAULTS_ROUNDS rounds, $FAULTS_KILLS kills"
awk -f tests/faults/count.awk "$matrix" "$FAULTS_TALLY" "$temporary/output" || code=1
exit "$code"
