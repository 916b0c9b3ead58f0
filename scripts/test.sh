#!/usr/bin/env bash
# test.sh - every check: format, lints, shell scripts, what it is built from, all tests on a real private PostgreSQL
#
# Installs shellcheck, faketime, strace and PostgreSQL with apt where that is allowed. Leaves nothing running.
# Exit codes: 0 all passed, 78 something it needs is missing, else that of the first check that failed.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
export PATH="${HOME:-/root}/.cargo/bin:$PATH"
say() { echo "== $*"; }

command -v cargo >/dev/null || { echo "test.sh: no cargo here; install Rust, https://rustup.rs" >&2; exit 78; }
scripts/need.sh cc gcc libc6-dev
scripts/need.sh shellcheck shellcheck
scripts/need.sh openssl openssl
scripts/need.sh faketime faketime
scripts/need.sh strace strace
scripts/need.sh chromium chromium
scripts/need.sh logrotate logrotate
scripts/need.sh systemd-analyze systemd
scripts/need.sh --alone promtool prometheus

say "shell scripts"
shellcheck scripts/*.sh scripts/cron/*.sh .ci/run
say "format"
cargo fmt --all --check
say "lints"
cargo clippy --release --locked --workspace --all-targets -- -D warnings
say "build"
cargo build --release --locked --workspace
say "what it is built from"
scripts/deny.sh
say "private PostgreSQL"
temporary=$(mktemp -d)
chmod 711 "$temporary"
unset DATABASE_URL PGHOST DB_HOST
export DB_DIR=$temporary/postgres
trap 'scripts/db.sh stop; rm -rf "$temporary"' EXIT
scripts/db.sh start
TEST_DATABASE_URL=$(scripts/db.sh url)
export TEST_DATABASE_URL FAULTS_TALLY="$temporary/faults"
say "tests"
cargo test --release --locked --workspace
say "faults"
awk -f tests/faults/count.awk tests/faults/matrix.toml "$FAULTS_TALLY"
say "questions to the monitor's API that nobody would ask"
scripts/fuzz_api.sh
