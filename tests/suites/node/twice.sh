. /mnt/host/code/prelude.sh
target=$(readlink -f $python)
before=$(sha256sum < "$target")
mounts=$(wc -l < /proc/self/mounts)
lock > /dev/null
[ "$(sha256sum < "$target")" != "$before" ] || fail "the interpreter is not covered"
lock | grep -q 'already locked' || fail "the second run did not see the first"
expect 0 '' $python -c pass
$longhorn uninstall
[ "$(sha256sum < "$target")" = "$before" ] || fail "uninstall did not restore the interpreter"
[ "$(wc -l < /proc/self/mounts)" = "$mounts" ] || fail "uninstall left mounts"
[ -z "$(sidecar)" ] || fail "uninstall left the sidecar"
[ ! -e /run/longhorn ] || fail "uninstall left /run/longhorn"
lock | grep -q 'locked (full)' || fail "it cannot be locked again"
