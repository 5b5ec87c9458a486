. /mnt/host/code/prelude.sh
lock > /dev/null
expect 0 '' $python -c pass
touch /mnt/host/ready
withdrawn() { $longhorn status | grep -q '^state *withdrawn'; }
until_true 5 eval '! $python -c pass'
until_true 10 eval '$longhorn status | grep -q "^state *withdrawn"; [ $? = 0 ]'
[ ! -e /run/longhorn/context.json ] || fail "the context was not withdrawn"
grep -rq '"event":"context.withdrawn"' /var/lib/longhorn/log || fail "the withdrawal is not on record"
