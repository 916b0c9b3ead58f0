#!/usr/bin/env bash
# db.sh - a private PostgreSQL for people without a server
#
# Usage: scripts/db.sh start|stop|status|shell|client|url|kind
#   start   find or install the binaries, make the data folder once, start the server
#   stop    stop the server; the data stay
#   status  say whether it runs, and where
#   shell   open psql on the mirror, or run what follows: scripts/db.sh shell -c 'select count(*) from users'
#   client  run psql, pg_dump or pg_restore on the mirror: scripts/db.sh client pg_dump --schema-only. With MIRROR_DATABASE
#           set, on that database of the same server
#   url     print what DATABASE_URL is to be
#   kind    say whether the private server is used, or one that is named
#
# The server listens on a unix socket in a private folder and on nothing else. Its data are in DB_DIR, which is
# ~/.local/state/mirror42/postgres, for root /var/lib/mirror42/postgres: PostgreSQL refuses to run as root, so
# there the user postgres (or nobody) runs it. With DATABASE_URL, PGHOST or DB_HOST set, in the environment or in .env,
# that server is used and nothing is touched; url then prints DATABASE_URL of the environment, or nothing: the tools
# read .env themselves. What .env says of a server is not looked at when DB_DIR is set in the environment.
#
# Exit codes: 0 done, 1 failed, 2 usage, 69 the server does not run, 78 no PostgreSQL to be found.
set -euo pipefail
DB_DIR=${DB_DIR:+$(realpath -m "$DB_DIR")}
cd "$(dirname "$(readlink -f "$0")")/.."

fail() { echo "db.sh: $2" >&2; exit "$1"; }

find_binaries() { # the newest folder that holds a server
    local found
    found=$(printf '%s\n' /usr/lib/postgresql/*/bin/initdb | sort -V | tail -n 1)
    if command -v initdb >/dev/null && command -v postgres >/dev/null; then found=$(command -v initdb); fi
    if [ -x "$found" ]; then dirname "$found"; fi
}

install_binaries() {
    command -v apt-get >/dev/null || fail 78 "no PostgreSQL here; install its server, or set DATABASE_URL"
    if [ "$(id -u)" != 0 ]; then fail 78 "no PostgreSQL here; 'sudo apt-get install postgresql' brings it, or set DATABASE_URL"; fi
    echo "db.sh: installing PostgreSQL with apt" >&2
    # Debian would start a server of its own beside ours.
    mkdir -p /etc/postgresql-common/createcluster.d
    echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.d/mirror42.conf
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends postgresql; } \
        >/dev/null || fail 78 "apt could not install PostgreSQL"
}

as_server() { # run a command as the user who owns the server
    if [ "$(id -u)" = 0 ]; then setpriv --reuid "$owner" --regid "$(id -g "$owner")" --clear-groups -- "$@"; else "$@"; fi
}

make_folders() {
    mkdir -p "$sockets" "$(dirname "$data")"
    chmod 700 "$sockets"
    if [ "$(id -u)" = 0 ]; then chmod 711 "$DB_DIR" && chown "$owner": "$sockets" "$DB_DIR"; fi
    as_server test -x "$DB_DIR" || fail 1 "the user $owner cannot reach $DB_DIR; set DB_DIR to a folder that it can"
}

make_cluster() {
    echo "db.sh: making a PostgreSQL cluster in $data" >&2
    as_server rm -rf "$data.new"
    as_server "$binaries/initdb" -D "$data.new" -U mirror42 -A trust -E UTF8 --locale=C.UTF-8 >"$log" 2>&1 \
        || fail 1 "initdb failed; see $log"
    as_server mv "$data.new" "$data"
}

start() {
    make_folders
    exec 9>"$DB_DIR/lock"
    flock 9
    [ -f "$data/PG_VERSION" ] || make_cluster
    if ! running; then
        as_server "$binaries/pg_ctl" -w -s -D "$data" -l "$data/server.log" \
            -o "-c listen_addresses='' -c unix_socket_directories='$sockets' -c unix_socket_permissions=0700" start \
            9>&- >/dev/null || fail 1 "PostgreSQL does not start; see $data/server.log"
    fi
    # One that recovers from a crash runs, and takes connections a moment later.
    for _ in {1..150}; do if query postgres 'select 1' >/dev/null 2>&1; then break; fi; sleep 0.2; done
    local exists
    exists=$(query postgres "select 1 from pg_database where datname = 'mirror42'")
    if [ -z "$exists" ]; then query postgres 'create database mirror42' >/dev/null; fi
}

running() { as_server "$binaries/pg_ctl" -D "$data" status >/dev/null 2>&1; }
query() { "$psql" -XqAt -v ON_ERROR_STOP=1 -h "$sockets" -U mirror42 -d "$1" -c "$2"; }
url() { echo "postgresql:///mirror42?host=$sockets&user=mirror42"; }

# What everybody may see in a list of processes must hold no password: libpq takes it from the environment.
hide_password() {
    local password=
    if [[ $given =~ ^(postgres(ql)?://[^:/?@]*):([^@/?]*)@(.*)$ ]]; then
        password=${BASH_REMATCH[3]} given=${BASH_REMATCH[1]}@${BASH_REMATCH[4]}
    elif [[ $given =~ ^(postgres(ql)?://.*[?&])password=([^&]*)\&?(.*)$ ]]; then
        password=${BASH_REMATCH[3]} given=${BASH_REMATCH[1]}${BASH_REMATCH[4]}
    elif [[ $given =~ ^(.*)password\ *=\ *([^\' ]+)(.*)$ ]]; then
        PGPASSWORD=${BASH_REMATCH[2]} given=${BASH_REMATCH[1]}${BASH_REMATCH[3]}
    fi
    if [ -n "$password" ]; then printf -v PGPASSWORD '%b' "${password//%/\\x}"; fi
    export PGPASSWORD
}

client() { # client URL PROGRAM…: URL may be empty, and MIRROR_DATABASE name another database of that server
    local url=$1
    if [[ -n ${MIRROR_DATABASE:-} && $url =~ ^(postgres(ql)?://[^/?]*)(/[^?]*)?(.*)$ ]]; then
        url=${BASH_REMATCH[1]}/$MIRROR_DATABASE${BASH_REMATCH[4]}
    elif [ -n "${MIRROR_DATABASE:-}" ]; then
        url="${url:+$url }dbname=$MIRROR_DATABASE"
    fi
    exec "$2" ${url:+--dbname="$url"} "${@:3}"
}

action=${1:-}
case $action in start | stop | status | shell | client | url | kind) shift ;; *) sed -n '2,/^set -/{/^#/s/^# \{0,1\}//p}' "$0" >&2; exit 2 ;; esac

umask 022
chosen=$DB_DIR
DB_DIR=${DB_DIR:-$(scripts/dotenv.sh DB_DIR)}
if [ "$(id -u)" = 0 ]; then
    DB_DIR=${DB_DIR:-/var/lib/mirror42/postgres}
    owner=nobody
    if id postgres >/dev/null 2>&1; then owner=postgres; fi
else
    home=${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}
    DB_DIR=${DB_DIR:-${XDG_STATE_HOME:-$home/.local/state}/mirror42/postgres}
fi
sockets=$DB_DIR/socket
# A socket's path has room for 107 bytes, its name takes 15 of them.
[ "${#sockets}" -le 90 ] || sockets=/tmp/mirror42-$(id -u)-$(printf '%s' "$DB_DIR" | cksum | cut -d' ' -f1)
server() { if [ -n "$chosen" ]; then printf '%s\n' "${!1:-}"; else scripts/dotenv.sh "$1"; fi; }
given=$(server DATABASE_URL)
if [ "$given" != "$(url)" ] && [ -n "$given$(server PGHOST)$(server DB_HOST)" ]; then
    for pair in PGHOST:HOST PGPORT:PORT PGDATABASE:NAME PGUSER:USER PGPASSWORD:PASSWORD; do
        value=$(server "${pair%:*}") old=$(server "DB_${pair#*:}")
        export "${pair%:*}=${value:-$old}"
    done
    case $action in status | shell | client) hide_password ;; esac
    case $action in
        kind) echo named ;;
        # The tools find it where this script found it; what the environment holds needs no repeating.
        url) printf '%s' "${DATABASE_URL:+$DATABASE_URL$'\n'}" ;;
        start | stop) echo "db.sh: a server is named (DATABASE_URL, PGHOST or DB_HOST): it is used, nothing is touched" >&2 ;;
        status) psql -XAt ${given:+"$given"} -c "select 'running: ' || version()" || exit 69 ;;
        shell) exec psql -X ${given:+"$given"} "$@" ;;
        client) client "$given" "$@" ;;
    esac
    exit 0
fi

case $action in url) url && exit ;; kind) echo private && exit ;; esac

binaries=$(find_binaries)
if [ -z "$binaries" ]; then
    [ "$action" = start ] || fail 69 "not running: no PostgreSQL here; scripts/db.sh start brings one up"
    install_binaries
    binaries=$(find_binaries)
    if id postgres >/dev/null 2>&1; then owner=postgres; fi
fi
version=$("$binaries/postgres" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
psql=$(PATH=$binaries:$PATH command -v psql) || fail 78 "no psql here; install the PostgreSQL client"
data=$DB_DIR/$version
log=/dev/null
for other in "$DB_DIR"/[0-9]*/PG_VERSION; do
    [ -f "$other" ] && [ "$(cat "$other")" != "$version" ] && [ ! -d "$data" ] \
        && fail 78 "$(dirname "$other") holds data of PostgreSQL $(cat "$other"), this machine has $version; dump and restore them, or set DB_DIR"
done

case $action in
    start) start ;;
    stop) if running; then as_server "$binaries/pg_ctl" -w -s -D "$data" -m fast stop; fi ;;
    status)
        running || fail 69 "not running; scripts/db.sh start"
        echo "running: PostgreSQL $version in $data"
        url
        ;;
    shell)
        running || fail 69 "not running; scripts/db.sh start"
        exec "$psql" -X -h "$sockets" -U mirror42 -d mirror42 "$@"
        ;;
    client)
        running || fail 69 "not running; scripts/db.sh start"
        export PATH="$binaries:$PATH"
        client "$(url)" "$@"
        ;;
esac
