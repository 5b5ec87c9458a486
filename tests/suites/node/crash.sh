# Kills `longhorn init` at system calls all over its run; run again it must come to the same result.
. /mnt/host/code/prelude.sh
init="/mnt/host/bundle/longhorn init --settings /mnt/host/bundle/longhorn.toml"
strace -qq -o /tmp/calls $init > /dev/null 2>&1 || true
$longhorn uninstall
sed -n "s/^\([a-z0-9_]*\)(.*/\1/p" /tmp/calls | grep -vE '^(execve|exit_group|exit|brk|arch_prctl|set_tid_address|wait4)$' | awk '{ n[$1]++; print $1, n[$1] }' > /tmp/points
total=$(wc -l < /tmp/points)
step=$((${CRASH_ALL:+1} + 0))
[ "$step" = 1 ] || step=$((total / 14 + 1))
done=0
awk -v step="$step" 'NR % step == 0' /tmp/points > /tmp/chosen
while read -r call count; do
  # Some calls are made once on a node: a later run does not come to that point and ends as it should.
  if strace -qq -o /dev/null -e trace="$call" -e inject="$call":signal=KILL:when="$count" $init > /tmp/killed 2>&1; then
    $longhorn uninstall
    continue
  fi
  $init > /tmp/again 2>&1 || fail "after a kill at $call $count: $(cat /tmp/again)"
  $python -c pass || fail "after a kill at $call $count nothing can be launched"
  [ "$(grep -c /usr/bin/python3 /proc/self/mounts)" = 1 ] || fail "after a kill at $call $count the cover is not there once"
  $longhorn uninstall
  rm -f /mnt/host/published/*
  done=$((done + 1))
done < /tmp/chosen
echo "killed at $done of $total system calls"
