. /mnt/host/code/prelude.sh
lock > /dev/null
exec $python /mnt/host/code/differentials.py "http://127.0.0.1:$(cat /mnt/host/code/port)"
