. /mnt/host/code/prelude.sh
screen imds-open 80 lock
[ ! -e /run/longhorn/lock ] || fail "a lock is left behind"
# A rule by owner closes it: the agent's own user asks on, root does not.
ip rule add pref 1 lookup local
ip rule delete pref 0
ip rule add pref 0 to 169.254.169.254 uidrange 0-0 prohibit
lock | grep -q 'locked (full)' || fail "init did not say that the node is locked"
[ "$($python /mnt/host/code/ask.py connect 80)" = EACCES ] || fail "the rule does not hold"
sealed=$(grep -rh '"event":"lock.sealed"' /var/lib/longhorn/log)
case $sealed in *metadata-service*) fail "the record names it as open" ;; *'"open":["jvm","network"'*) ;; *) fail "no such record: $sealed" ;; esac
