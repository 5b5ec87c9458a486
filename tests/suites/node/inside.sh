# An `inside` target acts only within a locked tree: there it sets the environment, outside it is the program itself.
. /mnt/host/code/prelude.sh
umask 077
lock > /dev/null
show='print join(",", map { $_ // "none" } @ENV{qw(SMUGGLED LONGHORN_SCOPE TZ)}), "\n"'
locked='open(F, "/proc/self/status"); print grep { /^Seccomp:/ } <F>'
[ "$(SMUGGLED=1 TZ=Mars perl -e "$show")" = "1,none,Mars" ] || fail "outside of a tree the program is not itself"
[ "$(perl -e "$locked")" = "$(printf 'Seccomp:\t0')" ] || fail "outside of a tree the program is locked"
# A program ignores SIGPIPE (the lowest bit of the fourth digit) where its caller did, and nowhere else. Perl ignores SIGFPE.
ignored='open(F, "/proc/self/status"); print grep { /^SigIgn:/ } <F>'
pipe() { tail -c 5 | cut -c 1; }
[ "$(perl -e "$ignored" | pipe)" = "$(grep ^SigIgn: /proc/self/status | pipe)" ] || fail "it ignores what its caller does not"
[ "$( (trap "" PIPE && exec perl -e "$ignored") | pipe)" = 1 ] || fail "it does not ignore what its caller does"
# What the launcher or the program opens first must not become a standard stream.
[ "$(perl -e 'print readlink("/proc/self/fd/0")' <&-)" = /dev/null ] || fail "a closed stream stays closed"
cat > /local_disk0/inside.py <<'P'
import subprocess, sys
print(subprocess.run(["/usr/bin/perl", "-e", sys.argv[1]], env={"SMUGGLED": "1", "TZ": "Mars", "PATH": "/usr/bin"}, capture_output=True, text=True).stdout)
P
expect 0 '^none,fraud-training,UTC' $python /local_disk0/inside.py "$show"
expect 0 '^Seccomp:.2' $python /local_disk0/inside.py "$locked"
expect 0 '^SigIgn:.*0080$' $python /local_disk0/inside.py "$ignored"
# A platform process that is not root passes through too, whatever umask `init` ran under.
[ "$(setpriv --reuid 65534 --regid 65534 --clear-groups perl -e 'print "itself"')" = itself ] || fail "not for everybody"
# A job that hides the canary's sibling from itself is not the platform.
expect 82 place-unclear $python /mnt/host/code/slip.py
grep -rq '"full":false,"outcome":"passed"' /var/lib/longhorn/log || fail "no pass is recorded"
! grep -rq '"full":true,"outcome":"passed"' /var/lib/longhorn/log || fail "a pass is recorded as a lock"
$longhorn uninstall
[ "$(SMUGGLED=1 perl -e "$show")" = "1,none,none" ] || fail "uninstall did not restore the program"
