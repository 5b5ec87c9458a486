# attested.sh NAME…: attacks on this node, first before `init` locks it, then by the job that it locked.
. /mnt/host/code/prelude.sh
exec $python /mnt/host/code/attested.py "$@"
