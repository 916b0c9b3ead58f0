#!/usr/bin/env bash
# simulated_day.sh - a day of the mirror in half an hour: what it costs, what it loses (nothing), how stale it gets
#
# A mock of 40,000 students of whom 63 change every simulated minute, which is a real second; the live script every
# minute, a nightly beside it, tools killed, answers 429 in bursts. When the day is over, no row that moved is missing;
# after a last nightly the mirror equals the mock field by field. Takes half an hour, two cores and 3 GB of disk.
#
# Environment: DAY_MINUTES (1440), DAY_STUDENTS (40000), DAY_CHANGES (63) people a minute, DAY_NIGHTLY_AT minute,
# DAY_KILLS, DAY_STORMS, DAY_SEED (42); TEST_DATABASE_URL, else a private PostgreSQL is brought up and removed.
# Exit codes: 0 it held, 78 no cargo, else it did not.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
export PATH="${HOME:-/root}/.cargo/bin:$PATH"
command -v cargo >/dev/null || { echo "simulated_day.sh: no cargo here; install Rust, https://rustup.rs" >&2; exit 78; }
export DAY_MINUTES="${DAY_MINUTES:-1440}" DAY_STUDENTS="${DAY_STUDENTS:-40000}"
cargo build --release --locked --workspace
exec cargo test --release --locked -p end-to-end --test day -- --nocapture
