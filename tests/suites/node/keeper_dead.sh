. /mnt/host/code/prelude.sh
lock > /dev/null
expect 0 '' $python -c pass
kill -9 "$(cat /run/longhorn/keeper)"
refused() { ! $python -c pass; }
until_true 8 refused
expect 81 'reason: lease-ended' $python -c pass
expect 81 'exit: 81' $longhorn status
