#!/bin/sh
# rkt's place among processes: what stays of `run`, `run-prepared` and `enter` has the number of the
# command itself, as rkt's has, which node cannot do. Everything else node does alone.
here=${0%/*}
command=
pod=
dir=/var/lib/rkt
for word in "$@"; do
  case $word in
    --dir=*) dir=${word#--dir=} ;;
    -*) ;;
    *)
      if [ -z "$command" ]; then command=$word; elif [ -z "$pod" ]; then pod=$word; fi
      ;;
  esac
done

# Runs node as a part of this process: it dies with it. What it writes to 3 is the answer.
step() {
  exec setpriv --pdeathsig KILL "$NODE" "$here/main.mjs" "$@" 3>&1 >&4 4>&- 9<&- </dev/null
}

# Whether these are the words of a run that every transcript has.
plain() {
  plain_words=0
  for plain_word in "$@"; do
    case $plain_word in
      --dir=* | --local-config=* | --system-config=* | --net=none | --net=host) ;;
      -*) return 1 ;;
      *) plain_words=$((plain_words + 1)) ;;
    esac
  done
  [ "$plain_words" = 2 ]
}

NODE=@NODE@
case $command in
  run | run-prepared | enter) ;;
  *) exec "$NODE" "$here/main.mjs" "$@" ;;
esac
exec 4>&1
export RKT_DOUBLE_POD= RKT_DOUBLE_LOCKED=
if [ "$command" = run ]; then
  pod=$(step "$@") || exit
  RKT_DOUBLE_POD=$pod
fi
if [ "$command" != enter ]; then
  set_aside=$(printf '%s\n' "$dir/pods/prepared/$pod"*)
  if [ -n "$pod" ] && [ -d "$set_aside" ]; then
    exec 9<"$set_aside"
    # a look at the lock may be what holds it
    if flock -xw 1 9; then RKT_DOUBLE_LOCKED=yes; fi
  fi
fi
# A pod of fly whose command line holds nothing new needs no node: the limits of its cgroup are already its own.
if [ "$command" = run-prepared ] && [ "$RKT_DOUBLE_LOCKED" = yes ] && [ -f "$set_aside/stage1/program" ] && plain "$@"; then
  target=$dir/pods/run/${set_aside##*/}
  if [ -d "$set_aside" ] && mv -T "$set_aside" "$target"; then
    echo 'run-prepared: group "rkt" not found, will use default gid when rendering images' >&2
    exec 4>&-
    unset RKT_DOUBLE_POD RKT_DOUBLE_LOCKED
    eval "$(cat "$target/stage1/program")"
  fi
fi
program=$(step "$@")
code=$?
[ -n "$program" ] || exit "$code"
exec 4>&-
unset RKT_DOUBLE_POD RKT_DOUBLE_LOCKED
eval "$program"
