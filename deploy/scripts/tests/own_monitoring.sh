# shellcheck shell=bash
# Jaeger, Alertmanager and Prometheus for the stack of own_stack.sh, on free
# ports too. Prometheus has the configuration of the lab.
# shellcheck source=../lib/alerting.sh
source "$TESTS/../lib/alerting.sh"

read -r jaeger_port jaeger_grpc_port otlp_grpc_port otlp_http_port jaeger_health_port \
  prometheus_port alertmanager_port sink_port preview_port span_metrics_port < <(free_ports 10)
export JAEGER_URL=http://127.0.0.1:$jaeger_port
export PROMETHEUS_URL=http://127.0.0.1:$prometheus_port
export ALERTMANAGER_URL=http://127.0.0.1:$alertmanager_port
export PREVIEW_URL=http://127.0.0.1:$preview_port
export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:$otlp_grpc_port BOOKSTORE_TRACE_QUERY=$JAEGER_URL
# Where alerts are sent.
export ALERT_WEBHOOK_URL=http://127.0.0.1:$sink_port/

start_jaeger() {
  start_tool jaeger env OTEL_TRACES_SAMPLER=always_off JAEGER_QUERY_PORT="$jaeger_port" \
    JAEGER_QUERY_GRPC_PORT="$jaeger_grpc_port" JAEGER_OTLP_GRPC_PORT="$otlp_grpc_port" \
    JAEGER_OTLP_HTTP_PORT="$otlp_http_port" JAEGER_HEALTH_PORT="$jaeger_health_port" \
    JAEGER_METRICS_PORT="$span_metrics_port" JAEGER_PROMETHEUS="$PROMETHEUS_URL" \
    "$BOOKSTORE_TOOLS_DIR/bin/jaeger" --config "$CHECKOUT/monitoring/jaeger/config.yaml"
  ready jaeger "$JAEGER_URL/api/services" || fail 'Jaeger does not start'
}

start_alertmanager() {
  alertmanager_configuration "$ALERT_SECRETS_DIR"
  start_tool alertmanager prometheus-alertmanager --config.file "$ALERTMANAGER_CONFIG" \
    --web.listen-address "${ALERTMANAGER_URL#http://}" --cluster.listen-address= --storage.path "$STATE/alertmanager"
  ready alertmanager "$ALERTMANAGER_URL/-/ready" || fail 'Alertmanager does not start'
}

# start_prometheus: the files of the checkout, but for the addresses.
start_prometheus() {
  cp -r "$CHECKOUT/monitoring/prometheus" "$STATE/prometheus"
  sed -e "s/127.0.0.1:7002/$BOOKSTORE_HTTP_ADDR/" -e "s/127.0.0.1:7004/$PERFORMANCE_HTTP_ADDR/" \
    -e "s/127.0.0.1:7010/$SIMULATOR_HTTP_ADDR/" -e "s/127.0.0.1:9090/${PROMETHEUS_URL#http://}/" \
    -e "s/127.0.0.1:8889/127.0.0.1:$span_metrics_port/" -e "s/127.0.0.1:9093/${ALERTMANAGER_URL#http://}/" -i "$STATE/prometheus/targets.yml" "$STATE/prometheus/alertmanagers.yml"
  start_tool prometheus env TRACE_PAGES="$PREVIEW_URL" prometheus --config.file "$STATE/prometheus/$(ALERT_PROFILE=lab prometheus_file)" \
    --web.listen-address "${PROMETHEUS_URL#http://}" --web.enable-remote-write-receiver --enable-feature "$PROMETHEUS_FEATURES" \
    --storage.tsdb.path "$STATE/prometheus-data" --rules.alert.resend-delay "$(ALERT_PROFILE=lab alert_resend_delay)"
  ready prometheus "$PROMETHEUS_URL/-/ready" || fail 'Prometheus does not start'
}

# start_preview: the dashboards at PREVIEW_URL, and the browser that looks at them.
start_preview() {
  CHROMIUM=$(command -v chromium) || fail "chromium is missing: run make setup"
  export CHROMIUM
  start_preview_at "$preview_port"
  ready preview "$PREVIEW_URL/dashboards" || fail 'the preview does not start'
}
