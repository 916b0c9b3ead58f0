#!/usr/bin/env bash
# need.sh - make sure that a command is there: installed with apt where that is allowed, else a sentence and exit 78
#
# Usage: scripts/need.sh [--alone] COMMAND PACKAGE…
#   --alone  take the command out of the package into target/tools and install nothing: the package would bring a server
set -euo pipefail
alone=
if [ "$1" = --alone ]; then alone=yes && shift; fi
command=$1
shift
# Where people who are not root do not look, and may all the same.
PATH=$PATH:/usr/sbin:/sbin
tools=$(dirname "$(readlink -f "$0")")/../target/tools
if command -v "$command" >/dev/null || [ -x "$tools/$command" ]; then exit 0; fi

install() { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"; }
unpack() {
    temporary=$(mktemp -d)
    trap 'rm -rf "$temporary"' EXIT
    if [ "$(id -u)" = 0 ]; then apt-get update; fi
    (cd "$temporary" && apt-get download "$@" && for package in *.deb; do dpkg-deb -x "$package" .; done)
    mkdir -p "$tools" && mv "$temporary/usr/bin/$command" "$tools/"
}

if [ -n "$alone" ] && command -v apt-get >/dev/null; then
    echo "== taking $command out of $*" >&2
    unpack "$@" &>/dev/null || true
elif [ -z "$alone" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "== installing $*" >&2
    install "$@" >/dev/null || true
fi
command -v "$command" >/dev/null || [ -x "$tools/$command" ] \
    || { echo "no $command here; 'sudo apt-get install $*' brings it" >&2; exit 78; }
