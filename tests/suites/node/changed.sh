# The node was locked for one scope; the job is then renamed into another one, which may more.
. /mnt/host/code/prelude.sh
lock > /dev/null
expect 0 '' $python -c pass
touch /mnt/host/ready
until_true 10 eval '$longhorn status | grep -q "^last failure *identity-changed"'
expect 81 '' $python -c pass
[ ! -e /run/longhorn/context.json ] || fail "the context was not withdrawn"
grep -rq '"reason":"identity-changed"' /var/lib/longhorn/log || fail "the change is not on record"
! grep -rq '"scope":"promotion"' /var/lib/longhorn/log || fail "the other scope was granted"
