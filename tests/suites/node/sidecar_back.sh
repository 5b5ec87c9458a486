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
[ "$(find /var/lib/longhorn/log -mindepth 1 -maxdepth 1 | wc -l)" = 2 ] || fail "a new sidecar begins a new log"
for newest in /var/lib/longhorn/log/*; do :; done
grep -q '"prior":{"log"' "$newest"/seg-* || fail "the new log does not name the old one"
expect 10 OPEN $longhorn log verify "$newest"
