# Sourced by every script of this suite: a journal without systemd as the first process.
. /mnt/host/code/prelude.sh
journals=/run/log/journal
socket=/run/systemd/journal/socket

# Leaves the daemon's process id in $journald.
start_journal() {
  [ -s /etc/machine-id ] || tr -d - < /proc/sys/kernel/random/uuid > /etc/machine-id
  mkdir -p /run/systemd/journal /run/systemd/journald.conf.d "$journals/$(cat /etc/machine-id)"
  printf '[Journal]\nStorage=volatile\nReadKMsg=no\nAudit=\nRateLimitIntervalSec=0\nRateLimitBurst=0\n' \
    > /run/systemd/journald.conf.d/suite.conf
  # The daemon asks which control group its senders are in.
  mountpoint -q /sys/fs/cgroup || mount -t cgroup2 cgroup /sys/fs/cgroup
  # A daemon that was killed leaves its socket behind.
  rm -f $socket
  setsid /lib/systemd/systemd-journald > /tmp/journald 2>&1 < /dev/null &
  journald=$!
  until_true 10 test -S $socket
  kill -0 "$journald" || fail "the journal ended: $(cat /tmp/journald)"
}

in_journal() {
  journalctl --quiet --directory $journals --identifier longhorn --output json --all "$@"
}

real_python() {
  echo /var/lib/longhorn/real/1/bin/python3.*[0-9]
}

# status_is KEY JSON
status_is() {
  $longhorn status --json | grep -q "\"$1\": *$2[,}]"
}

# The journal's state as the first record of the newest log has it.
first_record_says() {
  for log in /var/lib/longhorn/log/*; do :; done
  head -n 1 "$log"/seg-00000000000000000000.jsonl | grep -q "\"journal\":\"$1\"" || fail "the first record does not say $1"
}

nanoseconds() {
  date +%s%N
}

# took COMMAND…: milliseconds.
took() {
  began=$(nanoseconds)
  "$@" > /tmp/took 2>&1 || fail "$*: $(cat /tmp/took)"
  echo $((($(nanoseconds) - began) / 1000000 + 1))
}

# launches COUNT
launches() {
  left=$1
  while [ "$left" -gt 0 ]; do
    $python -c pass || fail "a launch failed"
    left=$((left - 1))
  done
}

# not_slower WHAT BEFORE NOW [WAITS]: but for a machine's noise, and the milliseconds that it may wait for the journal.
not_slower() {
  echo "$1: $2 ms before, $3 ms now"
  [ "$3" -le $(($2 * 3 + ${4:-0})) ] || fail "$1 took $3 ms, and $2 ms without a hung journal"
}

again() {
  $longhorn uninstall
  rm -rf /var/lib/longhorn /mnt/host/published/*
}
