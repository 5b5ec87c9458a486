# The journal hangs, dies and comes back while the node runs: nobody waits, and the mirror goes on.
. /mnt/host/code/journal.sh
start_journal
lock > /dev/null
launches 3
before=$(took launches 30)
kill -STOP "$journald"
stopped=$(took launches 30)
not_slower "30 launches" "$before" "$stopped"
kill -CONT "$journald"
for log in /var/lib/longhorn/log/*; do :; done
same() {
  in_journal > /tmp/journal.json && $(real_python) /mnt/host/code/compare.py "$log" /tmp/journal.json
}
# What waited is delivered.
until_true 10 same
status_is journal_dropped 0 || fail "status: $($longhorn status --json)"
# Stopped and killed: whoever waited in it is let go.
kill -STOP "$journald"
launches 30
kill -KILL "$journald"
launches 30
held=$(in_journal | wc -l)
start_journal
launches 3
more() { [ "$(in_journal | wc -l)" -gt "$held" ]; }
until_true 10 more
newest() { [ "$(in_journal -n 1 | sed -n 's/.*"LONGHORN_SEQ":"\([0-9]*\)".*/\1/p')" = "$(cat "$log"/seg-* | sed -n 's/.*"seq":\([0-9]*\),.*/\1/p' | tail -n 1)" ]; }
until_true 10 newest
status_is state '"locked"' || fail "status: $($longhorn status --json)"
expect 10 OPEN $longhorn log verify "$log"
