# What this kernel or this container does not permit is named, and the node is refused with nothing left behind.
. /mnt/host/code/prelude.sh
init="/mnt/host/bundle/longhorn init --settings /mnt/host/bundle/longhorn.toml"
# CODE REASON COMMAND…
refused() {
  code=$1
  reason=$2
  shift 2
  expect "$code" "reason: $reason " "$@" $init
  grep -q 'record: entry [0-9]' /tmp/out || fail "the refusal names no record: $(cat /tmp/out)"
  [ ! -e /run/longhorn ] || fail "after $reason something is left: $(ls /run/longhorn)"
  ! cut -d ' ' -f 2 /proc/self/mounts | grep -q longhorn || fail "after $reason a mount is left: $(cat /proc/self/mounts)"
  [ "$(SMUGGLED=1 $python -c 'import os; print(os.environ["SMUGGLED"])')" = 1 ] || fail "after $reason a cover is left"
}
refused 80 landlock-too-old strace -qq -o /dev/null -e trace=landlock_create_ruleset -e inject=landlock_create_ruleset:error=ENOSYS
refused 80 landlock-too-old strace -qq -o /dev/null -e trace=landlock_create_ruleset -e inject=landlock_create_ruleset:error=EOPNOTSUPP
refused 80 landlock-too-old strace -qq -o /dev/null -e trace=landlock_create_ruleset -e inject=landlock_create_ruleset:retval=2
refused 80 mount-namespace-unavailable setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin
refused 80 seccomp-unavailable strace -qq -o /dev/null -e trace=seccomp -e inject=seccomp:error=EINVAL
refused 80 capabilities-cannot-be-cut setpriv --bounding-set=-setpcap --inh-caps=-setpcap
