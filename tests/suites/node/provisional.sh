# A node that the workspace does not list yet is locked for the provisional period, and for longer only once it is listed.
. /mnt/host/code/prelude.sh
lock > /dev/null
expect 0 '"membership": "provisional"' cat /run/longhorn/context.json
expect 0 '' $python -c pass
ended() { ! $python -c pass; }
until_true 20 ended
expect 81 'reason: lease-ended' $python -c pass
until_true 5 eval '$longhorn status | grep -q "^last failure *node-not-listed"'
touch /mnt/host/ready
until_true 20 $python -c pass
expect 0 '"membership": "listed"' cat /run/longhorn/context.json
sleep 4
expect 0 '' $python -c pass
