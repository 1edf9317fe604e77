# shellcheck shell=bash
# At which pace alerts are found, and whom Alertmanager tells.

# Secrets of its channels: slack_url, smtp_password, webhook_token, one a file.
export ALERT_SECRETS_DIR=${ALERT_SECRETS_DIR:-$BOOKSTORE_STATE_DIR/secrets}
if [[ $ALERT_SECRETS_DIR != /* ]]; then
  ALERT_SECRETS_DIR=$CHECKOUT/$ALERT_SECRETS_DIR
fi

# alertmanager_configuration DIRECTORY: writes it, with the channels of the
# settings; the directory is that of the secrets as Alertmanager sees it.
alertmanager_configuration() {
  mkdir -p "$ALERT_SECRETS_DIR" "$BOOKSTORE_STATE_DIR/data"
  export ALERTMANAGER_CONFIG=$BOOKSTORE_STATE_DIR/data/alertmanager.yml
  "$CHECKOUT/monitoring/alertmanager/configure.py" --secrets "$ALERT_SECRETS_DIR" --read-as "$1" \
    >"$ALERTMANAGER_CONFIG" || fail "Alertmanager cannot be configured"
}

# prometheus_file: of ALERT_PROFILE, prod (30 days, real money) or lab (two
# hours, simulated money).
prometheus_file() {
  case ${ALERT_PROFILE:-prod} in
    prod) echo prometheus.yml ;;
    lab) echo prometheus.lab.yml ;;
    *) fail "ALERT_PROFILE=$ALERT_PROFILE: prod or lab" ;;
  esac
}

# alert_resend_delay: in the lab an alert must not wait for Prometheus' minute.
alert_resend_delay() {
  if [[ ${ALERT_PROFILE:-prod} == lab ]]; then echo 5s; else echo 1m; fi
}

# require_sound_rules FILE: what Prometheus would refuse in its configuration or
# in a rule file is said before anything starts.
require_sound_rules() {
  local said
  command -v promtool >/dev/null || fail "promtool is missing: run make setup"
  if ! said=$(promtool check config "$1" 2>&1); then
    grep -A 3 -E 'FAILED|error' <<<"$said" >&2
    fail "Prometheus would not start with ${1#"$CHECKOUT/"}"
  fi
}
