# A script that is ended from outside leaves nothing half-done.
. /mnt/host/code/bundle.sh
fresh
for signal in HUP INT TERM; do
  # Ended while it copies: a binary as large as this takes its time.
  head -c 400000000 /dev/zero > $bundle/longhorn
  # A shell's background jobs ignore INT; a session of its own does not.
  env --default-signal=HUP,INT,TERM "$SHELL_UNDER_TEST" $script > /tmp/out 2>&1 &
  copying() { ls /opt/longhorn/bundle.*/longhorn; }
  until_true 10 copying
  kill -$signal $!
  status=0
  wait $! || status=$?
  [ "$status" = 71 ] || fail "SIG$signal ended it with $status: $(cat /tmp/out)"
  untouched "SIG$signal"
done
