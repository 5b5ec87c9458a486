. /mnt/host/code/prelude.sh
lock | grep -q 'locked (full)' || fail "init did not say that the node is locked"
expect 0 'state *locked' $longhorn status
expect 0 'lock *full (enforce)' $longhorn context
# Landlock closes that way from its ninth version on: kernels differ in it.
shown() { $longhorn context | sed 's/, pathname-sockets-outside-run$//'; }
screen context 0 shown
# What no rule restricts is said wherever the lock is told of.
expect 0 '^open *jvm, metadata-service, network' $longhorn status
grep -rh '"event":"lock.sealed"' /var/lib/longhorn/log | grep -q '"jvm","metadata-service","network"' || fail "the record does not name the network as open"
expect 0 VALID $longhorn context verify /run/longhorn/context.jwt --node-key /mnt/host/published/*.jwk
expect 65 context-other-audience $longhorn context verify /run/longhorn/context.jwt --node-key /mnt/host/published/*.jwk --audience elsewhere
[ "$(SMUGGLED=1 FEATURE_A=2 TZ=Mars LONGHORN_SCOPE=admin $python -c 'import os; print(os.environ.get("SMUGGLED"), os.environ["FEATURE_A"], os.environ["TZ"], os.environ["LONGHORN_SCOPE"])')" = "None 2 UTC fraud-training" ] \
  || fail "the environment is not the policy's"
expect 0 'NoNewPrivs:.1' $python -c 'print(open("/proc/self/status").read())'
expect 0 'Seccomp:.2' $python -c 'print(open("/proc/self/status").read())'
expect 0 'CapBnd:.0000000000000000' $python -c 'print(open("/proc/self/status").read())'
# The record speaks the policy's words.
grep -rq '"permissions":\["run","run.write","model.read"\]' /var/lib/longhorn/log || fail "the record names other permissions"
grep -rq '"enforcement":"enforce"' /var/lib/longhorn/log || fail "the record names another enforcement"
# A launch is on record, with names and without values.
VERY_SECRET_NAME=very-secret-value $python -c pass
until_true 5 grep -rq VERY_SECRET_NAME /var/lib/longhorn/log
! grep -rq 'very-secret-value\|agent-secret' /var/lib/longhorn/log || fail "a value or a secret is in the record"
