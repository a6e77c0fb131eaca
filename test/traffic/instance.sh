#!/bin/sh
# One instance of an app: an ordinary process as far as Marathon is concerned, whose ports are served by backends-main.ts,
# since ten processes of Node would take ten times the lab's one processor to start. Asked to end, it drains there.
trap 'echo "drain $$" >"$BACKENDS"' TERM
trap 'exit 0' USR1
echo "serve $$ $HOST $PORT0 ${PORT1:-0} $MESOS_TASK_ID" >"$BACKENDS"
while :; do
  sleep 3600 &
  wait $!
done
