# Sourced by every script of this suite. SHELL_UNDER_TEST runs the init script of a bundle that `cargo xtask pin` pinned.
. /mnt/host/code/prelude.sh
bundle=/local_disk0/bundle
script=$bundle/longhorn-init.sh
elsewhere=/local_disk0/elsewhere

# The script starts anew under /bin/sh: where the shell under test is that.
if ! cmp -s "$SHELL_UNDER_TEST" /bin/sh; then
  mount --bind "$(readlink -f "$SHELL_UNDER_TEST")" "$(readlink -f /bin/sh)"
fi

# A fresh copy of the honest bundle.
fresh() {
  rm -rf "$bundle"
  cp -r /mnt/host/bundle "$bundle"
  chmod 755 "$bundle"
}

# A program that leaves a trace wherever it is executed.
trap_door() {
  printf '#!/bin/sh\ntouch /tmp/ran\n%s\n' "${2:-}" > "$1"
  chmod 755 "$1"
}

sum() {
  sha256sum < "$1" | cut -d ' ' -f 1
}

not_executed() {
  [ ! -e /tmp/ran ] || fail "$1: something that nobody verified was executed"
}

# Nothing was executed, and nothing is left behind.
untouched() {
  not_executed "$1"
  for place in /opt/longhorn /etc/longhorn /run/longhorn /var/lib/longhorn; do
    [ ! -e $place ] || fail "$1: $place is left: $(ls -R $place)"
  done
  [ -z "$(sidecar)" ] || fail "$1: a sidecar is left"
  ! cut -d ' ' -f 2 /proc/self/mounts | grep -q longhorn || fail "$1: a mount is left"
  [ "$(SMUGGLED=1 $python -c 'import os; print(os.environ["SMUGGLED"])')" = 1 ] || fail "$1: a cover is left"
}

# stops NAME CODE LINE COMMAND…: ends with CODE, says LINE and nothing else, and leaves the node as it was.
stops() {
  name=$1
  code=$2
  line=$3
  shift 3
  says "$name" "$code" "$line" "$@"
  untouched "$name"
}

says() {
  name=$1
  code=$2
  line=$3
  shift 3
  status=0
  "$@" > /tmp/stdout 2> /tmp/stderr || status=$?
  [ "$status" = "$code" ] || fail "$name: ended with $status, not $code: $(cat /tmp/stdout /tmp/stderr)"
  [ "$(cat /tmp/stderr)" = "longhorn-init: $line" ] || fail "$name: said: $(cat /tmp/stderr)"
  [ ! -s /tmp/stdout ] || fail "$name: printed: $(cat /tmp/stdout)"
}

# locks NAME COMMAND…: ends with 0 and says so in one line.
locks() {
  name=$1
  shift
  status=0
  "$@" > /tmp/stdout 2> /tmp/stderr || status=$?
  [ "$status" = 0 ] || fail "$name: ended with $status: $(cat /tmp/stdout /tmp/stderr)"
  [ ! -s /tmp/stderr ] || fail "$name: complained: $(cat /tmp/stderr)"
  [ "$(wc -l < /tmp/stdout)" = 1 ] || fail "$name: said more than one line: $(cat /tmp/stdout)"
  grep -q "${LINE:-^longhorn: locked (full)}" /tmp/stdout || fail "$name: said: $(cat /tmp/stdout)"
  [ -z "$(find /opt/longhorn -name 'bundle.*')" ] || fail "$name: left in /opt/longhorn: $(ls /opt/longhorn)"
  [ "$(sum /opt/longhorn/bin/longhorn)" = "$(sum /mnt/host/bundle/longhorn)" ] || fail "$name: placed another binary"
  not_executed "$name"
  expect 0 fraud-training $python -c 'import os; print(os.environ["LONGHORN_SCOPE"])'
}

# Back to a node that was never locked.
unlock() {
  $longhorn uninstall || fail "cannot uninstall"
  rm -rf /opt/longhorn /etc/longhorn /var/lib/longhorn /mnt/host/published/*
}
