# shellcheck shell=bash
# Where things are and which settings hold; sourced by every script here.
# An explicit environment wins over .env, .env wins over the defaults.

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

note() { printf '%s\n' "$*" >&2; }

# Used by nearly every script, and not on every bare machine.
for program in curl ps python3; do
  command -v "$program" >/dev/null ||
    fail "$program is missing; run: apt-get install curl procps python3"
done
unset program

CHECKOUT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
readonly CHECKOUT
export CHECKOUT

# An empty environment still has a user with a home and its toolchains.
if [[ -z ${HOME:-} ]]; then
  HOME=$(getent passwd "$(id -u)" | cut -d: -f6)
  export HOME
fi
PATH=${PATH:-/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin}
for toolchain in "$HOME/.cargo/bin" /usr/local/go/bin; do
  if [[ -d $toolchain && :$PATH: != *:$toolchain:* ]]; then
    PATH=$PATH:$toolchain
  fi
done
unset toolchain
export PATH

# load_env_file FILE: plain KEY=VALUE lines, never evaluated. One pair of
# quotes around a value is removed.
load_env_file() {
  local file=$1 line key value number=0
  while IFS= read -r line || [[ -n $line ]]; do
    number=$((number + 1))
    line=${line%$'\r'}
    [[ $line =~ ^[[:space:]]*(#|$) ]] && continue
    [[ $line =~ ^(export[[:space:]]+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$ ]] ||
      fail "$file:$number: expected KEY=VALUE"
    key=${BASH_REMATCH[2]} value=${BASH_REMATCH[3]}
    if [[ $value =~ ^\"(.*)\"$ || $value =~ ^\'(.*)\'$ ]]; then
      value=${BASH_REMATCH[1]}
    fi
    # An empty line of the template means "not set".
    if [[ -z ${!key:-} && -n $value ]]; then
      export "$key=$value"
    fi
  done <"$file"
}

# Tests set ENV_FILE, so that nobody's own settings and keys reach them.
ENV_FILE=${ENV_FILE:-$CHECKOUT/.env}
if [[ -f $ENV_FILE ]]; then
  load_env_file "$ENV_FILE"
fi
load_env_file "$CHECKOUT/deploy/versions.env"

BOOKSTORE_STATE_DIR=${BOOKSTORE_STATE_DIR:-.bookstore}
if [[ $BOOKSTORE_STATE_DIR != /* ]]; then
  BOOKSTORE_STATE_DIR=$CHECKOUT/$BOOKSTORE_STATE_DIR
fi
export BOOKSTORE_STATE_DIR
BOOKSTORE_TOOLS_DIR=${BOOKSTORE_TOOLS_DIR:-$BOOKSTORE_STATE_DIR/tools}
if [[ $BOOKSTORE_TOOLS_DIR != /* ]]; then
  BOOKSTORE_TOOLS_DIR=$CHECKOUT/$BOOKSTORE_TOOLS_DIR
fi
export BOOKSTORE_TOOLS_DIR

# Addresses of the services. Another port also needs monitoring/prometheus.
export BOOKSTORE_HTTP_ADDR=${BOOKSTORE_HTTP_ADDR:-127.0.0.1:7002}
export PERFORMANCE_HTTP_ADDR=${PERFORMANCE_HTTP_ADDR:-127.0.0.1:7004}
export SIMULATOR_HTTP_ADDR=${SIMULATOR_HTTP_ADDR:-127.0.0.1:7010}
export BOOKSTORE_URL=http://127.0.0.1:${BOOKSTORE_HTTP_ADDR##*:}
export PERFORMANCE_URL=http://127.0.0.1:${PERFORMANCE_HTTP_ADDR##*:}
export SIMULATOR_URL=http://127.0.0.1:${SIMULATOR_HTTP_ADDR##*:}
# An API that asks for tokens, while perf-auth.sh runs it.
export GUARDED_PORT=${GUARDED_PORT:-7003}
export GUARDED_URL=http://127.0.0.1:$GUARDED_PORT
export PROMETHEUS_URL=http://127.0.0.1:9090
export ALERTMANAGER_URL=http://127.0.0.1:9093
export JAEGER_URL=${JAEGER_URL:-http://127.0.0.1:16686}
# Dashboards and traces, where there is neither Grafana nor Jaeger's page.
export PREVIEW_PORT=${PREVIEW_PORT:-3001}
export PREVIEW_URL=${PREVIEW_URL:-http://127.0.0.1:$PREVIEW_PORT}
