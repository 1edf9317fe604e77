# shellcheck shell=bash
# TCP ports of this machine, read from /proc, since ss is not everywhere.

# listening_inode PORT: the inode of a socket that listens on it, any address.
listening_inode() {
  local wanted table
  wanted=$(printf '%04X' "$1")
  for table in /proc/net/tcp /proc/net/tcp6; do
    [[ -r $table ]] || continue
    awk -v port="$wanted" '$4 == "0A" && substr($2, length($2) - 3) == port { print $10; exit }' "$table"
  done | head -n 1
}

# free_port: one that nobody listens on.
free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# port_holder PORT: "PID COMMAND" of who listens there; fails when nobody does.
port_holder() {
  local inode descriptor pid
  inode=$(listening_inode "$1")
  [[ -n $inode ]] || return 1
  for descriptor in /proc/[0-9]*/fd/*; do
    if [[ $(readlink "$descriptor" 2>/dev/null) == "socket:[$inode]" ]]; then
      pid=${descriptor#/proc/}
      pid=${pid%%/*}
      printf '%s %s\n' "$pid" "$(tr '\0' ' ' <"/proc/$pid/cmdline" | cut -c 1-120 | sed 's/ *$//')"
      return
    fi
  done
  printf '? (a process of another user)\n'
}

# answers_http URL: 2xx within two seconds.
answers_http() { curl --fail --silent --output /dev/null --max-time 2 "$1"; }

# answers_redis HOST PORT: replies to PING within two seconds.
# shellcheck disable=SC2016 # the inner shell expands its own arguments
answers_redis() {
  local reply
  reply=$(timeout 2 bash -c 'exec 3<>"/dev/tcp/$0/$1" && printf "PING\r\n" >&3 && head -c 5 <&3' "$1" "$2" 2>/dev/null) || return 1
  [[ $reply == +PONG || $reply == -NOAU ]]
}

# accepts HOST PORT: a connection opens within two seconds.
# shellcheck disable=SC2016 # the inner shell expands its own arguments
accepts() { timeout 2 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$2" 2>/dev/null; }
