. /mnt/host/code/prelude.sh
lock > /dev/null
expect 0 '' $python -c pass
kill -9 "$(cat /run/longhorn/keeper)"
refused() { ! $python -c pass; }
until_true 8 refused
screen keeper-dead-launch 81 $python -c pass
screen keeper-dead-status 81 $longhorn status
