#!/usr/bin/env python3
"""Reads `docker compose config --format json` and holds it to our rules:
loopback ports, pinned images, no root, nothing writable but volumes, bounds."""

import json
import re
import sys

EXPECTED = {
    "mongodb", "redis", "llm-simulator", "bookstore-api", "guarded-api", "performance-service",
    "jaeger", "aspire", "prometheus", "alertmanager", "grafana",
}
# Images without a program that could ask.
UNASKED = {"jaeger", "aspire"}
PINNED = re.compile(r":v?[0-9]+\.[0-9]+\.[0-9]+(-[a-z]+)?$|^bookstore/[a-z-]+:local$")


def faults_of(name: str, service: dict) -> list[str]:
    found = []
    for port in service.get("ports", []):
        if port.get("host_ip") != "127.0.0.1":
            found.append(f"port {port.get('published')} is not on loopback")
    if not PINNED.search(service["image"]):
        found.append(f"image {service['image']} is not pinned to a full version")
    if service.get("user", "0").split(":")[0] in ("0", "root"):
        found.append("runs as root")
    if not service.get("read_only"):
        found.append("its file system is writable")
    if service.get("cap_drop") != ["ALL"]:
        found.append("keeps capabilities")
    if not service.get("mem_limit") or not service.get("pids_limit"):
        found.append("has no bound on memory or processes")
    if "healthcheck" not in service and name not in UNASKED:
        found.append("has no healthcheck")
    for volume in service.get("volumes", []):
        if volume["type"] == "bind" and not volume.get("read_only"):
            found.append(f"may write to {volume['source']}")
    return [f"{name}: {fault}" for fault in found]


def main() -> int:
    services = json.load(sys.stdin)["services"]
    faults = [fault for name, service in services.items() for fault in faults_of(name, service)]
    if set(services) != EXPECTED:
        faults.append(f"services differ: {sorted(set(services) ^ EXPECTED)}")
    for fault in faults:
        print(f"FAILED  {fault}")
    if not faults:
        print(f"ok      {len(services)} services keep the rules")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
