#!/usr/bin/env bash
# need.sh - make sure that a command is there: installed with apt where that is allowed, else a sentence and exit 78
#
# Usage: scripts/need.sh COMMAND PACKAGE…
set -euo pipefail
command=$1
shift
if command -v "$command" >/dev/null; then exit 0; fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "== installing $*" >&2
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"; } >/dev/null || true
fi
command -v "$command" >/dev/null || { echo "no $command here; 'sudo apt-get install $*' brings it" >&2; exit 78; }
