. /mnt/host/code/prelude.sh
lock | grep -q 'observing' || fail "init did not say that it observes"
expect 0 'lock *none (observe)' $longhorn context
expect 0 'None' $python -c 'import os; print(os.environ.get("LONGHORN_SCOPE"))'
expect 0 'state *observing' $longhorn status
