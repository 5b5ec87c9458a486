. /mnt/host/code/prelude.sh
script=/opt/longhorn/bundle/longhorn-init.sh
reads() {
  $python -c 'open("/opt/longhorn/bundle/policy.toml").read()'
}

[ "$(stat -c '%a %u' /opt/longhorn/bundle)" = '700 0' ] || fail "the bundle is open: $(stat /opt/longhorn/bundle)"
# Unlocked, a program of root reads it and has whatever its caller says.
expect 0 '' reads
[ "$(SMUGGLED=1 $python -c 'import os; print(os.environ.get("SMUGGLED"))')" = 1 ] || fail "the image is locked before it starts"

for said in 'locked (full)' 'already locked'; do
  # As the platform starts a script of the kind file:
  /bin/bash $script > /tmp/stdout 2> /tmp/stderr || fail "$said: ended with $?: $(cat /tmp/stdout /tmp/stderr)"
  grep -q "^longhorn: $said" /tmp/stdout || fail "not $said: $(cat /tmp/stdout)"
  [ ! -s /tmp/stderr ] || fail "$said: complained: $(cat /tmp/stderr)"
  expect 0 'state *locked' $longhorn status
  expect 0 'lock *full (enforce)' $longhorn context
  [ "$(SMUGGLED=1 $python -c 'import os; print(os.environ.get("SMUGGLED"), os.environ["LONGHORN_SCOPE"])')" = "None fraud-training" ] \
    || fail "$said: the environment is not the policy's"
  expect 1 'PermissionError' reads
  # The node's Python is covered by now, and the platform's callers still end it as they did.
  expect 0 '' $python --version
done

/bin/bash $script --remove || fail "it cannot be taken out"
expect 0 '' reads
[ "$(find /opt/longhorn/bundle -type f | wc -l)" = 5 ] || fail "the bundle is gone: $(ls /opt/longhorn/bundle)"
