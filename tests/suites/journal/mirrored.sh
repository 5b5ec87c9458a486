. /mnt/host/code/journal.sh
start_journal
lock > /dev/null
status_is journal '"connected"' || fail "status: $($longhorn status --json)"
first_record_says connected
VERY_SECRET_NAME=very-secret-value $python -c pass
launches 10
for log in /var/lib/longhorn/log/*; do :; done
same() {
  in_journal > /tmp/journal.json && $(real_python) /mnt/host/code/compare.py "$log" /tmp/journal.json
}
until_true 10 same
same
[ "$(in_journal LONGHORN_EVENT=log.started | wc -l)" = 1 ] || fail "the first record cannot be found by its event"
[ "$(in_journal LONGHORN_SEQ=3 | wc -l)" = 1 ] || fail "a record cannot be found by its number"
status_is journal_dropped 0 || fail "status: $($longhorn status --json)"
! grep -q 'very-secret-value\|agent-secret' /tmp/journal.json || fail "a value or a secret is in the journal"
