# Kills `longhorn init` at system calls all over its run (CRASH_ALL: at every one); run again it must come to the same result.
. /mnt/host/code/prelude.sh
init="/mnt/host/bundle/longhorn init --settings /mnt/host/bundle/longhorn.toml"

# The same result: it says so, a program can be launched, and the cover is there once.
same() {
  $init > /tmp/again 2>&1 || { cat /tmp/again; return 1; }
  $python -c pass || { echo "nothing can be launched"; return 1; }
  [ "$(grep -c /usr/bin/python3 /proc/self/mounts)" = 1 ] || { echo "the cover is not there once"; return 1; }
  $longhorn status | grep -q '^state *locked' || { echo "it does not say that it is locked"; return 1; }
}

strace -qq -o /tmp/calls $init > /dev/null 2>&1 || true
$longhorn uninstall
sed -n "s/^\([a-z0-9_]*\)(.*/\1/p" /tmp/calls | grep -vE '^(execve|exit_group|exit|brk|arch_prctl|set_tid_address|wait4)$' | awk '{ n[$1]++; print $1, n[$1] }' > /tmp/points
total=$(wc -l < /tmp/points)
step=$((${CRASH_ALL:+1} + 0))
[ "$step" = 1 ] || step=$((total / 14 + 1))
killed=0 passed=0 broken=0
awk -v step="$step" 'NR % step == 0' /tmp/points > /tmp/chosen
while read -r call count; do
  # Some calls are made once on a node: a later run does not come to that point and ends as it should.
  if strace -qq -o /dev/null -e trace="$call" -e inject="$call":signal=KILL:when="$count" $init > /tmp/killed 2>&1; then
    passed=$((passed + 1))
  else
    killed=$((killed + 1))
    same > /tmp/found || { broken=$((broken + 1)); echo "after a kill at $call $count: $(cat /tmp/found)"; }
  fi
  $longhorn uninstall || { broken=$((broken + 1)); echo "after a kill at $call $count it cannot be uninstalled"; }
  left=$(find /usr/local/lib /usr/lib/python3* -name '*longhorn_mlflow*')
  [ -z "$left" ] || { broken=$((broken + 1)); echo "after a kill at $call $count the plugin is left: $left"; }
  rm -f /mnt/host/published/*
  echo "$killed killed, $passed not reached, $broken broken" > /mnt/host/progress
done < /tmp/chosen
echo "killed at $killed of $total system calls; $passed were not made again"
[ "$broken" = 0 ] || fail "$broken broken"
