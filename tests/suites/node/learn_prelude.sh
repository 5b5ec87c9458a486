. /mnt/host/code/prelude.sh
mkdir -p /srv/models/fraud /Volumes/main/gold/sales
echo model > /srv/models/fraud/weights.bin
cp /mnt/host/code/learn_job.py /local_disk0/job.py
job() { SPARK_LOCAL_DIRS=/local_disk0 MY_SETTING=1 FRAUD_API_KEY=k PYTHONSTARTUP=/tmp/x.py DISPLAY=:0 $python /local_disk0/job.py "$1"; }
