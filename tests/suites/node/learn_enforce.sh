# The job of learn_observe.sh where it is enforced.
. /mnt/host/code/learn_prelude.sh
lock | grep -q 'locked (full)' || fail "it does not lock"
job 0
