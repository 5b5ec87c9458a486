# Covers belong to the mount namespace that they were made in: from another one, `uninstall` refuses and changes nothing.
. /mnt/host/code/prelude.sh
target=$(readlink -f $python)
before=$(sha256sum < "$target")
refused() {
  expect 71 'reason: covers-elsewhere' "$@"
  grep -q "$target" /tmp/out || fail "it does not name the cover: $(cat /tmp/out)"
  grep -q "nsenter --mount --target [0-9]" /tmp/out || fail "it does not say what to do: $(cat /tmp/out)"
}
lock > /dev/null
# Where copies of the covers are seen, and where they are not.
refused unshare --mount "$longhorn" uninstall
refused unshare --mount sh -c "umount $target; exec $longhorn uninstall"
[ "$(sha256sum < "$target")" != "$before" ] || fail "the refused uninstall took a cover away"
expect 0 '^state *locked' $longhorn status
expect 0 fraud-training $python -c 'import os; print(os.environ["LONGHORN_SCOPE"])'
# What it says works.
expect 0 '' unshare --mount nsenter --mount --target 1 "$longhorn" uninstall
[ "$(sha256sum < "$target")" = "$before" ] || fail "uninstall did not restore the interpreter"
# A namespace that ended took its covers along: nobody is held up by it.
expect 0 'locked (full)' unshare --mount /mnt/host/bundle/longhorn init --settings /mnt/host/bundle/longhorn.toml
refused "$longhorn" uninstall
kill -9 "$(cat /run/longhorn/keeper)"
until_true 10 eval '[ -z "$(sidecar)" ]'
expect 0 'locked (full)' lock
$longhorn uninstall
[ "$(sha256sum < "$target")" = "$before" ] || fail "the interpreter is not restored"
