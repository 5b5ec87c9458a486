# Observing refuses nobody and hides nothing.
. /mnt/host/code/prelude.sh
lock | grep -q 'observing' || fail "init did not say that it observes"
expect 0 'open .*refused:imds-open-to-user-code' $longhorn context
