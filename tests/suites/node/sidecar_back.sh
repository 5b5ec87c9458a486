. /mnt/host/code/prelude.sh
lock > /dev/null
key() { sed -n 's/.*"key": "\(.*\)".*/\1/p' /run/longhorn/context.json; }
before=$(key)
old=$(sidecar)
kill -9 "$old"
back() { [ -n "$(sidecar)" ] && [ "$(sidecar)" != "$old" ] && $longhorn status | grep -q '^state *locked'; }
until_true 10 back
[ "$(key)" = "$before" ] || fail "the node key changed"
expect 0 fraud-training $python -c 'import os; print(os.environ["LONGHORN_SCOPE"])'
[ "$(ls /var/lib/longhorn/log | wc -l)" = 2 ] || fail "a new sidecar begins a new log"
newest=/var/lib/longhorn/log/$(ls /var/lib/longhorn/log | tail -n 1)
grep -q '"prior":{"log"' "$newest"/seg-* || fail "the new log does not name the old one"
expect 10 OPEN $longhorn log verify "$newest"
