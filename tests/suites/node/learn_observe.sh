# Observes a job, on the node and under the tracer, and has the policy learn from both.
. /mnt/host/code/learn_prelude.sh
policy=/mnt/host/bundle/policy.toml
tried="/mnt/host/bundle/longhorn try --policy $policy --environment python-ml --observe --json /local_disk0/trace"
SPARK_LOCAL_DIRS=/local_disk0 $tried -- $python /local_disk0/job.py 0 > /local_disk0/shown 2>&1 || fail "the traced job failed: $(cat /local_disk0/shown)"
lock | grep -q observing || fail "it does not observe"
[ "$(job 2)" = "model /local_disk0 1 k /tmp/x.py fraud-training" ] || fail "the observed job is not itself"
$python -c pass
sampled() { cat /var/lib/longhorn/log/*/seg-* | grep -q 'read /srv/models'; }
until_true 5 sampled
learn="$longhorn policy learn --base $policy --environment python-ml"
$learn /var/lib/longhorn/log /local_disk0/trace > /mnt/host/proposal.toml || fail "nothing is proposed"
$learn --json /var/lib/longhorn/log > /mnt/host/proposal.json || fail "nothing is proposed as JSON"
# Of a log that was cut to its first record there is nothing to learn, and of no log either.
expect 66 file-missing $learn /absent
expect 65 nothing-observed $learn /srv/models
expect 64 environment-unknown $longhorn policy learn --base $policy --environment other /var/lib/longhorn/log
