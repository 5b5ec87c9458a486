# Run by a unit that systemd ends, with everything in its control group.
. /mnt/host/code/bundle.sh
fresh
"$SHELL_UNDER_TEST" $script > /mnt/host/init-said 2>&1
