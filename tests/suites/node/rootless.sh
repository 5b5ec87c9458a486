# What acts only within a locked tree is no lock where no tree begins.
. /mnt/host/code/prelude.sh
screen no-root-covered 80 lock
[ ! -e /run/longhorn/lock ] || fail "a lock was left"
expect 0 'Seccomp:.0' $python -c 'print(open("/proc/self/status").read())'
