. /mnt/host/code/journal.sh
[ ! -e $socket ] || fail "this node has a journal"
lock | grep -q 'locked (full)' || fail "not locked"
status_is journal '"absent"' || fail "status: $($longhorn status --json)"
status_is journal_dropped 0 || fail "status: $($longhorn status --json)"
first_record_says absent
launches 3
# A daemon that ended has left its socket.
again
mkdir -p /run/systemd/journal
$python -c 'import socket, sys; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).bind(sys.argv[1])' $socket
chmod 666 $socket
lock | grep -q 'locked (full)' || fail "not locked"
status_is journal '"refused"' || fail "status: $($longhorn status --json)"
first_record_says refused
launches 3
