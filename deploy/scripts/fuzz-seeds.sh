#!/usr/bin/env bash
# Writes the seeds of the fuzz targets anew: streams as the simulator of `make
# run-all` sends them, whole and broken, lines of the built-in price list, and
# the forms of the rest. Run it when a protocol changes.
set -euo pipefail
export ENV_FILE=/dev/null
# shellcheck source=lib/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/settings.sh"

readonly SEEDS=$CHECKOUT/crates/llm/fuzz/seeds
readonly PRICES=$CHECKOUT/crates/llm/prices.toml

# control PATH JSON: tells the simulator something.
control() {
  curl --fail --silent --show-error --output /dev/null --max-time 5 -X PUT \
    "$SIMULATOR_URL/control/$1" -H 'Content-Type: application/json' -d "$2"
}

# stream TARGET NAME PATH BODY [HEADER...]: one streamed answer, as far as it comes.
stream() {
  local file=$SEEDS/$1/$2 name=$2 path=$3 body=$4 headers=()
  shift 4
  for header; do headers+=(-H "$header"); done
  mkdir -p "${file%/*}"
  curl --fail --silent --no-buffer --max-time 10 --output "$file" "$SIMULATOR_URL$path" \
    -H 'Content-Type: application/json' "${headers[@]}" -d "$body" || [[ $name == cut ]]
}

# streams NAME: one of each protocol.
streams() {
  local messages='"messages":[{"role":"user","content":"Hello"}]'
  stream claude_stream "$1" /v1/messages \
    "{\"model\":\"claude-sonnet-5-5\",\"max_tokens\":8,\"stream\":true,$messages}" \
    'x-api-key: any' 'anthropic-version: 2023-06-01'
  stream openai_chat_stream "$1" /v1/chat/completions \
    "{\"model\":\"gpt-4o\",\"max_tokens\":8,\"stream\":true,\"stream_options\":{\"include_usage\":true},$messages}" \
    'Authorization: Bearer any'
  stream openai_responses_stream "$1" /v1/responses \
    '{"model":"gpt-4o","max_output_tokens":16,"stream":true,"input":"Hello"}' 'Authorization: Bearer any'
  stream ollama_stream "$1" /api/chat \
    "{\"model\":\"llama3.2\",\"options\":{\"num_predict\":8},$messages}"
  stream bedrock_stream "$1" /model/amazon.nova-lite-v1:0/converse-stream \
    '{"inferenceConfig":{"maxTokens":8},"messages":[{"role":"user","content":[{"text":"Hello"}]}]}' \
    'Authorization: Bearer any'
}

# seed TARGET NAME: what stands on standard input.
seed() {
  mkdir -p "$SEEDS/$1"
  cat >"$SEEDS/$1/$2"
}

prices() {
  local name
  for name in claude-haiku-5-5 claude-sonnet-5-5 amazon.nova-lite; do
    { echo 'price = [' && grep -F "match = \"$name\"" "$PRICES" | head -n 4 && echo ']'; } |
      seed price_catalogue "$name"
  done
}

retry_after() {
  printf '2' | seed retry_after seconds
  printf '1.5\n250' | seed retry_after milliseconds
  printf 'Fri, 20 Nov 2026 12:00:07 GMT' | seed retry_after date
  printf 'soon\n-1' | seed retry_after nonsense
}

calls() {
  seed call_lines two <<'LINES'
{"provider":"claude","model":"claude-sonnet-5-5","at":"2026-11-20T12:00:00Z","input_tokens":1200,"cache_read":1000,"cache_write_5m":50,"cache_write_1h":50,"output_tokens":80,"reasoning_tokens":7,"region_class":"us"}
{"provider":"bedrock","model":"eu.amazon.nova-lite-v1:0","at":"2026-10-06","input_tokens":9,"output_tokens":0,"service_tier":"batch","note":[1,{"a":null}]}
LINES
  seed call_lines priced-before <<'LINES'

{"cost_pico_usd":null,"provider":"openai","model":"gpt-5.5","at":"2026-11-20","input_tokens":300000,"output_tokens":1}
{"provider":"openai"}
LINES
}

main() {
  control profile '{"name":"instant"}'
  control seed '{"seed":7}'
  control faults '{"rules":[]}'
  streams whole
  control faults '{"rules":[{"fault":{"usage":{"reported":"absurd"}}}]}'
  streams absurd-usage
  control faults '{"rules":[{"fault":{"streamError":{"afterTokens":3}}}]}'
  streams error
  control faults '{"rules":[{"fault":{"cut":{"afterTokens":3,"within":"json"}}}]}'
  streams cut
  curl --fail --silent --output /dev/null -X POST "$SIMULATOR_URL/control/reset"
  prices
  retry_after
  calls
  du -sh "$SEEDS"
}

main "$@"
