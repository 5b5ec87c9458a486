# A renewal is a new context with an end of its own; the first record names the agent that runs.
. /mnt/host/code/prelude.sh
lock > /dev/null
claim() { sed -n "s/^ *\"$1\": \"\{0,1\}\([^\",]*\).*/\1/p" /run/longhorn/context.json; }
first=$(claim jti) ends=$(claim exp)
if [ -z "$first" ] || [ -z "$ends" ]; then fail "the context has no id or no end"; fi
renewed() { [ "$(claim jti)" != "$first" ]; }
until_true 10 renewed
[ "$(claim exp)" -gt "$ends" ] || fail "the renewed context ends no later: $(claim exp), before $ends"
expect 0 VALID $longhorn context verify /run/longhorn/context.jwt --node-key /mnt/host/published/*.jwk
[ "$(grep -rho '"event":"context.issued"' /var/lib/longhorn/log | wc -l)" -ge 2 ] || fail "a renewal is not on record"
agent=$(sha256sum $longhorn | cut -d ' ' -f 1)
head -n 1 /var/lib/longhorn/log/*/seg-* | grep -q "\"agent_sha256\":\"$agent\"" || fail "the first record names another agent than $agent"
expect 0 '' $python -c pass
