# What this kernel or this container does not permit is named, and the node is refused with nothing left behind.
. /mnt/host/code/prelude.sh
init="/mnt/host/bundle/longhorn init --settings /mnt/host/bundle/longhorn.toml"
# NAME REASON COMMAND…
refused() {
  name=$1
  reason=$2
  shift 2
  screen "floor-$name" 80 "$@" $init
  grep -q "reason: $reason " "$shown" || fail "$name: not $reason: $(cat "$shown")"
  grep -q 'record: entry [0-9]' "$shown" || fail "the refusal of $name has no record"
  [ ! -e /run/longhorn ] || fail "after $reason something is left: $(ls /run/longhorn)"
  ! cut -d ' ' -f 2 /proc/self/mounts | grep -q longhorn || fail "after $reason a mount is left: $(cat /proc/self/mounts)"
  [ "$(SMUGGLED=1 $python -c 'import os; print(os.environ["SMUGGLED"])')" = 1 ] || fail "after $reason a cover is left"
}
refused no-landlock landlock-too-old strace -qq -o /dev/null -e trace=landlock_create_ruleset -e inject=landlock_create_ruleset:error=ENOSYS
refused landlock-off landlock-too-old strace -qq -o /dev/null -e trace=landlock_create_ruleset -e inject=landlock_create_ruleset:error=EOPNOTSUPP
refused landlock-old landlock-too-old strace -qq -o /dev/null -e trace=landlock_create_ruleset -e inject=landlock_create_ruleset:retval=2
refused no-sys-admin mount-namespace-unavailable setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin
refused no-seccomp seccomp-unavailable strace -qq -o /dev/null -e trace=seccomp -e inject=seccomp:error=EINVAL
refused no-setpcap capabilities-cannot-be-cut setpriv --bounding-set=-setpcap --inh-caps=-setpcap
