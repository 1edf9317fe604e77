# shellcheck shell=bash
# Processes in the background, known by pid and start time: a pid alone may
# have been given to somebody else by the time that it is used.

readonly PIDS=$BOOKSTORE_STATE_DIR/pids
readonly LOGS=$BOOKSTORE_STATE_DIR/logs

# process_stat PID FIELD: a field of /proc/PID/stat by the number that proc(5)
# gives it, from 3 on. The name, field 2, may hold blanks and parentheses.
process_stat() {
  local line fields
  line=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  read -ra fields <<<"${line##*) }"
  printf '%s\n' "${fields[$2 - 3]}"
}

# alive PID START-TIME: that very process runs; one that ended and was not yet
# reaped does not. A process that ended at once never had a start time.
alive() {
  [[ -n $2 && $(process_stat "$1" 22) == "$2" && $(process_stat "$1" 3) != [ZX] ]]
}

# recorded_pid NAME: the pid, when the process that we started still runs.
recorded_pid() {
  local pid start
  [[ -f $PIDS/$1.pid ]] || return 1
  read -r pid start <"$PIDS/$1.pid" || return 1
  alive "$pid" "$start" && printf '%s\n' "$pid"
}

# start_process NAME COMMAND...: in a session of its own, so that it outlives
# the terminal; the log of the run before is kept as NAME.log.1.
start_process() {
  local name=$1 pid
  shift
  mkdir -p "$PIDS" "$LOGS"
  if [[ -f $LOGS/$name.log ]]; then
    mv "$LOGS/$name.log" "$LOGS/$name.log.1"
  fi
  # Descriptor 9 is the lock of the caller, which must not outlive it.
  setsid "$@" >"$LOGS/$name.log" 2>&1 </dev/null 9>&- &
  pid=$!
  disown "$pid"
  printf '%s %s\n' "$pid" "$(process_stat "$pid" 22)" >"$PIDS/$name.pid"
}

# process_gone PID START-TIME SECONDS: waits until it has ended.
process_gone() {
  local deadline=$((SECONDS + $3))
  while alive "$1" "$2"; do
    ((SECONDS < deadline)) || return 1
    sleep 0.1
  done
}

# stop_process NAME SECONDS: SIGTERM, and SIGKILL when the time is over; then
# what is left of its session.
stop_process() {
  local name=$1 patience=$2 pid start
  read -r pid start <"$PIDS/$name.pid" || fail "$PIDS/$name.pid is damaged: remove it"
  if alive "$pid" "$start"; then
    kill -TERM "$pid"
    if ! process_gone "$pid" "$start" "$patience"; then
      note "$name ($pid) did not end within $patience s: SIGKILL"
      kill -KILL "$pid"
      process_gone "$pid" "$start" 5 || fail "$name ($pid) cannot be ended"
    fi
    printf '  stopped %s (%s)\n' "$name" "$pid"
  fi
  end_session "$pid" "$start"
  rm -f "$PIDS/$name.pid"
}

# end_session PID START-TIME: ends the children that a killed leader left behind.
# A number is not given away while a session of that number has a member; so
# when another process has it, nobody is left.
end_session() {
  local directory member
  if [[ -e /proc/$1 && $(process_stat "$1" 22) != "$2" ]]; then return; fi
  for directory in /proc/[0-9]*; do
    member=${directory#/proc/}
    if [[ $(process_stat "$member" 6) == "$1" && $(process_stat "$member" 3) != [ZX] ]]; then
      note "ending process $member, left behind in session $1"
      kill -KILL "$member" 2>/dev/null || note "process $member had ended already"
    fi
  done
}

# show_log NAME LINES: the last lines, marked, on standard error.
show_log() {
  note "--- last lines of $LOGS/$1.log"
  tail -n "$2" "$LOGS/$1.log" >&2
  note "---"
}
