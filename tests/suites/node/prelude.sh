# Sourced by every script of this suite.
set -eu
export DB_CLUSTER_ID=1001-234039-abcde739 DB_CONTAINER_IP=127.0.0.1 DB_DRIVER_IP=127.0.0.1 DB_IS_DRIVER=TRUE DB_IS_JOB_CLUSTER=TRUE
export DB_CLUSTER_NAME=job-605777310657626-run-1020337925419295-main
longhorn=/opt/longhorn/bin/longhorn
python=/usr/bin/python3

fail() {
  echo "FAILED: $1" >&2
  exit 1
}

lock() {
  /mnt/host/bundle/longhorn init --settings /mnt/host/bundle/longhorn.toml
}

# expect CODE WORD COMMAND…: ends with CODE and prints WORD.
expect() {
  code=$1
  word=$2
  shift 2
  status=0
  "$@" > /tmp/out 2>&1 || status=$?
  [ "$status" = "$code" ] || fail "$* ended with $status, not $code: $(cat /tmp/out)"
  [ -z "$word" ] || grep -q -- "$word" /tmp/out || fail "$* did not print $word: $(cat /tmp/out)"
}

# screen NAME CODE COMMAND…: ends with CODE; what a person reads is compared with tests/fixtures/node/NAME.screen.
screen() {
  shown=/mnt/host/screens/$1
  code=$2
  shift 2
  mkdir -p /mnt/host/screens
  status=0
  "$@" > "$shown" 2>&1 || status=$?
  [ "$status" = "$code" ] || fail "$shown ended with $status, not $code: $(cat "$shown")"
}

sidecar() {
  grep -l '^Uid:	64222' /proc/[0-9]*/status 2> /dev/null | head -n 1 | cut -d / -f 3
}

# until_true SECONDS COMMAND…
until_true() {
  tries=$(($1 * 10))
  shift
  while ! "$@" > /dev/null 2>&1; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || fail "did not come true: $*"
    sleep 0.1
  done
}
