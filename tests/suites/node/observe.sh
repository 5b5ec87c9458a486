# Observed: covers stand, the context is injected, nothing else changes, and the record names what enforcing would change.
. /mnt/host/code/prelude.sh
lock | grep -q 'observing' || fail "init did not say that it observes"
lock | grep -q 'already observing' || fail "the second run did not see the first"
expect 0 'lock *none (observe)' $longhorn context
expect 0 'state *observing' $longhorn status
record() { cat /var/lib/longhorn/log/*/seg-*; }
show='import os; print([os.environ.get(name) for name in ("SMUGGLED", "TZ", "LONGHORN_SCOPE", "LONGHORN_FORGED")])'
SMUGGLED=not-to-be-told TZ=Mars LONGHORN_SCOPE=forged LONGHORN_FORGED=1 \
  expect 0 "^\['not-to-be-told', 'Mars', 'fraud-training', None\]" $python -c "$show"
expect 0 '^Seccomp:.0' $python -c 'print(open("/proc/self/status").read())'
expect 0 '^NoNewPrivs:.0' $python -c 'print(open("/proc/self/status").read())'
echo written | expect 0 '' $python -c 'import sys; open("/etc/observed", "w").write(sys.stdin.read())'
reported() { record | grep '"event":"launch.reported"' | grep -q "$1"; }
until_true 5 reported '"removed":\["[^]]*SMUGGLED'
reported '"overridden":\["[^]]*TZ"' || fail "the pin that would be overridden is not named"
reported '"corroborated":true,"full":false,"observed":{"within":true,"would_refuse":""},"outcome":"observed"' || fail "no launch as it was: $(record | tail -n 3)"
! record | grep -q 'not-to-be-told\|Mars' || fail "a value is on record"
# An `inside` target is observed too; whose it is shows by what the root of the tree was told.
inside='import subprocess; print(subprocess.run(["/usr/bin/perl", "-e", "print $ENV{SMUGGLED}"], capture_output=True, text=True).stdout)'
SMUGGLED=1 expect 0 '^1' $python -c "$inside"
[ "$(SMUGGLED=1 perl -e 'print "$ENV{SMUGGLED} $ENV{LONGHORN_SCOPE}"')" = "1 fraud-training" ] || fail "an inside target is not observed"
until_true 5 reported '"within":false.*"target":2'
reported '"within":true.*"target":2' || fail "a program of the tree is taken for the platform's"
# The context is for all to read where nobody is locked.
socket='import os, socket; s = socket.socket(socket.AF_UNIX); s.connect(os.environ["LONGHORN_SOCKET"]); s.send(b"GET /v1/context HTTP/1.1\r\nHost: x\r\n\r\n"); print(s.recv(9999))'
expect 0 '200 OK' $python -c "$socket"
for log in /var/lib/longhorn/log/*; do expect 10 OPEN $longhorn log verify "$log"; done
# A sidecar that starts again observes on.
old=$(sidecar)
kill -9 "$old"
back() { [ -n "$(sidecar)" ] && [ "$(sidecar)" != "$old" ] && $longhorn status | grep -q '^state *observing'; }
until_true 10 back
AFTER=1 $python -c pass
until_true 5 reported '"removed":\["[^]]*AFTER'
