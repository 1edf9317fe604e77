#!/usr/bin/env python3
"""Prints alertmanager.yml with the channels whose settings are given (none: as it is).

Usage: configure.py [--secrets DIRECTORY] [--read-as DIRECTORY]

  --secrets   where the files with secrets are: slack_url, smtp_password, webhook_token
  --read-as   the same directory as Alertmanager sees it, in a container; else as it is

Settings: ALERT_WEBHOOK_URL; ALERT_EMAIL_TO ({team} becomes the team), ALERT_EMAIL_FROM, ALERT_SMTP
(HOST:PORT), ALERT_SMTP_USER. Slack is used when its file is there. The secrets themselves are not
printed, only the names of their files.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

TEMPLATE = Path(__file__).resolve().parent / "alertmanager.yml"
RECEIVERS = "\nreceivers:\n"
# What is urgent is told on every channel.
CHANNELS = {
    "ticket": ("email", "webhook"),
    "page": ("slack", "email", "webhook"),
    "escalation": ("slack", "email", "webhook"),
}
# At most so many alerts in one message, so that a storm is one readable message.
MAX_ALERTS = 20
HEADLINE = "{{ .Status | toUpper }} {{ .CommonLabels.severity }}, {{ .CommonLabels.team }}: {{ .CommonLabels.alertname }} ({{ len .Alerts }})"
LINES = (
    "{{ range .Alerts }}{{ .Annotations.summary }}\n"
    "runbook {{ .Annotations.runbook }}\ndashboard {{ .Annotations.dashboard }}\ntraces {{ .Annotations.traces }}\n\n{{ end }}"
)


class WrongSetting(Exception):
    """A setting that cannot be used, with its name and the reason."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Prints the configuration of Alertmanager.")
    parser.add_argument("--secrets", type=Path, default=None)
    parser.add_argument("--read-as", type=Path, default=None)
    arguments = parser.parse_args()
    try:
        print(configuration(os.environ, arguments.secrets, arguments.read_as or arguments.secrets), end="")
    except WrongSetting as reason:
        print(f"error: {reason}", file=sys.stderr)
        return 1
    return 0


def configuration(settings: Any, secrets: Path | None, read_as: Path | None) -> str:
    """The template, with channels in its receivers."""
    text = TEMPLATE.read_text(encoding="utf-8")
    head, _, listed = text.partition(RECEIVERS)
    names = [line.split("name: ")[1] for line in listed.splitlines()]
    present = {name for name in ("slack_url", "smtp_password", "webhook_token") if secrets and (secrets / name).is_file()}
    files = {name: str(read_as / name) for name in present if read_as}
    receivers = [receiver(name, settings, files) for name in names]
    # JSON is YAML, and quotes whatever a setting contains.
    return head + RECEIVERS + "".join(f"  - {json.dumps(one)}\n" for one in receivers)


def receiver(name: str, settings: Any, files: dict[str, str]) -> dict[str, Any]:
    """A receiver by its name, SEVERITY-TEAM or SEVERITY."""
    severity, _, team = name.partition("-")
    made: dict[str, Any] = {"name": name}
    for channel in CHANNELS[severity]:
        config = {"slack": slack, "email": email, "webhook": webhook}[channel](settings, files, team or "escalation")
        if config:
            made[f"{channel}_configs"] = [{"send_resolved": True, **config}]
    return made


def slack(_settings: Any, files: dict[str, str], _team: str) -> dict[str, Any] | None:
    if "slack_url" not in files:
        return None
    return {"api_url_file": files["slack_url"], "title": HEADLINE, "text": LINES}


def email(settings: Any, files: dict[str, str], team: str) -> dict[str, Any] | None:
    to, smarthost = settings.get("ALERT_EMAIL_TO", ""), settings.get("ALERT_SMTP", "")
    if not to:
        return None
    if ":" not in smarthost:
        raise WrongSetting("ALERT_EMAIL_TO needs ALERT_SMTP=HOST:PORT, the server that takes the mail")
    sender = settings.get("ALERT_EMAIL_FROM", "")
    if not sender:
        raise WrongSetting("ALERT_EMAIL_TO needs ALERT_EMAIL_FROM")
    # A server on this machine is spoken to as it is; everything else by TLS.
    local = smarthost.rsplit(":", 1)[0] in ("localhost", "127.0.0.1", "[::1]")
    config = {
        "to": to.replace("{team}", team), "from": sender, "smarthost": smarthost,
        "require_tls": not local, "headers": {"Subject": HEADLINE}, "text": LINES, "html": "",
    }
    if "smtp_password" in files:
        config |= {"auth_username": settings.get("ALERT_SMTP_USER", sender), "auth_password_file": files["smtp_password"]}
    return config


def webhook(settings: Any, files: dict[str, str], _team: str) -> dict[str, Any] | None:
    url = settings.get("ALERT_WEBHOOK_URL", "")
    if not url:
        return None
    if not url.startswith(("http://", "https://")):
        raise WrongSetting("ALERT_WEBHOOK_URL must begin with http:// or https://")
    config: dict[str, Any] = {"url": url, "max_alerts": MAX_ALERTS}
    if "webhook_token" in files:
        config["http_config"] = {"authorization": {"credentials_file": files["webhook_token"]}}
    return config


if __name__ == "__main__":
    sys.exit(main())
