# A journal that reads nothing, its buffer full before Longhorn comes: nobody waits for it, and what it did not take is counted.
. /mnt/host/code/journal.sh
took lock > /dev/null
again
absent_lock=$(took lock)
absent_launches=$(took launches 30)
again
cat > /tmp/hung.py <<'P'
import os, socket, sys, time
journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
os.makedirs(os.path.dirname(sys.argv[1]), exist_ok=True)
journal.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o666)
sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
sender.setblocking(False)
try:
    while True:
        sender.sendto(b"MESSAGE=full\n", sys.argv[1])
except BlockingIOError:
    open("/tmp/full", "w").close()
time.sleep(600)
P
$python /tmp/hung.py $socket > /dev/null 2>&1 < /dev/null &
hung=$!
until_true 10 test -e /tmp/full
hung_lock=$(took lock)
hung_launches=$(took launches 30)
not_slower "init" "$absent_lock" "$hung_lock" 50
not_slower "30 launches" "$absent_launches" "$hung_launches"
status_is journal '"hung"' || fail "status: $($longhorn status --json)"
first_record_says hung
status_is journal_dropped 0 || fail "dropped before the queue was full: $($longhorn status --json)"
# The queue holds 256 lines; every line beyond that is counted, and every record is in the log all the same.
launches 270
for log in /var/lib/longhorn/log/*; do :; done
counted() {
  dropped=$($longhorn status --json | sed -n 's/.*"journal_dropped": *\([0-9]*\).*/\1/p')
  records=$(cat "$log"/seg-* | grep '"seq":' | grep -vc '"event":"key.rotate"')
  [ "$(cat "$log"/seg-* | grep -c '"event":"launch')" -ge 300 ] && [ "$dropped" = $((records - 256)) ]
}
until_true 15 counted
echo "$dropped of $records lines were dropped"
expect 10 OPEN $longhorn log verify "$log"
status_is state '"locked"' || fail "status: $($longhorn status --json)"
# It is ended and another takes its place: what the queue held is delivered, and the mirror goes on.
kill -KILL "$hung"
start_journal
arrived() { [ "$(in_journal | wc -l)" -ge 256 ]; }
until_true 10 arrived
launches 1
newest() { [ "$(in_journal -n 1 | sed -n 's/.*"LONGHORN_SEQ":"\([0-9]*\)".*/\1/p')" = "$(cat "$log"/seg-* | sed -n 's/.*"seq":\([0-9]*\),.*/\1/p' | tail -n 1)" ]; }
until_true 10 newest
