. /mnt/host/code/prelude.sh
status=0
lock || status=$?
[ -z "$(sidecar)" ] || fail "a refused node kept its sidecar"
[ ! -e /run/longhorn ] || fail "a refused node kept /run/longhorn"
exit "$status"
