#!/usr/bin/env bash
# dotenv.sh - print a variable as the tools see it: from the environment, else from .env, which is read and never run
#
# Usage: scripts/dotenv.sh NAME
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
value=${!1:-}
if [ -z "$value" ] && [ -f .env ]; then
    value=$(tr -d '\r' <.env | sed -nE "s/^[[:space:]]*(export[[:space:]]+)?$1[[:space:]]*=[[:space:]]*//p" | tail -n 1)
    case $value in
        \"*) value=${value#\"} value=${value%%\"*} ;;
        \'*) value=${value#\'} value=${value%%\'*} ;;
        *) value=${value%%[[:space:]]#*} value=${value%"${value##*[![:space:]]}"} ;;
    esac
fi
printf '%s\n' "$value"
