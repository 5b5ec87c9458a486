. /mnt/host/code/prelude.sh
# ask WAY PORT ANSWER: what a job hears.
ask() {
  heard=$($python /mnt/host/code/ask.py "$1" "$2")
  [ "$heard" = "$3" ] || fail "$1 to port $2: $heard, not $3"
}
# Unlocked, every way leads there.
ask connect 80 'HTTP/1.1 401 X'
ask deferred 80 'HTTP/1.1 401 X'
ask fast-open 80 'HTTP/1.1 401 X'
ask multipath 80 'HTTP/1.1 401 X'
lock | grep -q 'locked (full)' || fail "init did not say that the node is locked"
ask connect 80 EACCES
ask deferred 80 EACCES
ask fast-open 80 EPERM
ask multipath 80 EPERM
# Another port of the same address answers for itself.
ask connect 81 ECONNREFUSED
# What is below inherits it.
[ "$($python -c 'import os; os.execv("/bin/sh", ["sh", "-c", "/usr/bin/python3 /mnt/host/code/ask.py connect 80"])')" = EACCES ] \
  || fail "a program below the interpreter is not held"
sealed=$(grep -rh '"event":"lock.sealed"' /var/lib/longhorn/log)
case $sealed in *metadata-service*) fail "the record names it as open" ;; *'"open":["jvm","network"'*) ;; *) fail "no such record: $sealed" ;; esac
