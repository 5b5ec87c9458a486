. /mnt/host/code/bundle.sh
fresh
locks "first" "$SHELL_UNDER_TEST" $script
LINE='^longhorn: already locked' locks "second" "$SHELL_UNDER_TEST" $script
expect 0 '' "$SHELL_UNDER_TEST" $script --remove
[ "$(SMUGGLED=1 $python -c 'import os; print(os.environ["SMUGGLED"])')" = 1 ] || fail "--remove left a cover"
[ ! -e /run/longhorn ] || fail "--remove left /run/longhorn"
locks "third" "$SHELL_UNDER_TEST" $script
