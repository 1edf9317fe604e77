#!/usr/bin/env python3
"""Secrets that are looked for wherever a service may tell them:

canaries.py plant FILE          writes one for each secret setting, as NAME=VALUE
canaries.py watch FILE SECONDS  writes arguments and environment of what works in a run's directory
canaries.py crawl FILE URL...   writes what GET answers at each address below URL that pages and
                                documents name; with $COOKIE or $TOKEN
canaries.py traces FILE URL     writes every trace that Jaeger has
canaries.py search FILE WORD:PLACE...
                                ends with 1 if a place has a secret of FILE, in whatever spelling,
                                or if it has not its word, which is told there

A place is a directory.
"""

import base64
import html
import json
import os
import re
import secrets
import string
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]
ALPHABET = string.ascii_letters + string.digits
SECRET_LENGTH = 40
# A secret that was cut is found by so many characters of either end.
RECOGNISED = 12
REQUEST_SECONDS = 30
# A listing of a service has at most as many traces.
MOST_TRACES = 10_000
MOST_PAGES = 400
# Where the code reads a secret setting: by its name, or by a constant.
READ = re.compile(r'\.secret\(\s*(?:"([A-Z0-9_]+)"|([A-Z_]+),)')
# Beside the settings: who is refused, and what callers send.
INVENTED = ("WRONG_KEY", "CALLER_TOKEN", "CALLER_COOKIE", "CALLER_QUERY", "WRONG_USERINFO")


def settings() -> set[str]:
    """Every secret setting of the code."""
    found = set()
    for path in (CHECKOUT / "crates").glob("*/src/**/*.rs"):
        text = path.read_text(encoding="utf-8").split("#[cfg(test)]")[0]
        for call in READ.finditer(text):
            name, constant = call.groups()
            found.add(name or re.findall(rf'const {constant}: &str = "(\w+)"', text[:call.start()])[-1])
    return found


def plant(file: str) -> int:
    """One with the marks that URLs and base64 change, the others fit anywhere."""
    planted = {name: "".join(secrets.choice(ALPHABET) for _ in range(SECRET_LENGTH)) for name in (*sorted(settings()), *INVENTED)}
    planted["ANTHROPIC_API_KEY"] += "/+="
    Path(file).write_text("".join(f"{name}={value}\n" for name, value in planted.items()), encoding="utf-8")
    return 0


def spellings(secret: str) -> set[bytes]:
    """As it is, both its ends, and how it looks encoded, also in the middle of more."""
    raw = secret.encode()
    core = secret.rstrip("/+=")
    found = {raw, core[:RECOGNISED].encode(), core[-RECOGNISED:].encode(), raw[::-1]}
    found |= {raw.hex().encode(), raw.hex().upper().encode(), urllib.parse.quote(secret, safe="").encode()}
    found.add("".join(f"%{byte:02X}" for byte in raw).encode())
    for before in range(3):
        encoded = base64.b64encode(b"x" * before + raw)
        # Its first and its last group have bits of what stands beside it.
        sure = encoded[4 if before else 0:].rstrip(b"=")[:-2]
        found |= {sure, sure.replace(b"+", b"-").replace(b"/", b"_")}
    return found


def search(canaries: str, places: list[str]) -> int:
    lines = Path(canaries).read_text(encoding="utf-8").splitlines()
    wanted = [(name, form) for name, _, value in (line.partition("=") for line in lines) for form in spellings(value)]
    faults, read = blind(), 0
    for word, _, place in (place.partition(":") for place in places):
        told = False
        for path in (path for path in sorted(Path(place).rglob("*")) if path.is_file()):
            content = path.read_bytes()
            read += len(content)
            told = told or word.encode() in content
            faults += sorted({f"{name} is in {path}: {around(content, form)}" for name, form in wanted if form in content})
        if not told:
            faults.append(f"{word}, which is told, is not found in {place}: the search is blind")
    print(f"{len(lines)} secrets in {len(wanted)} spellings, looked for in {read / 1e6:.1f} MB: {len(faults)} faults")
    for fault in faults:
        print(f"FAILED  {fault}", file=sys.stderr)
    return 1 if faults else 0


def around(content: bytes, form: bytes) -> str:
    at = content.index(form)
    return repr(content[max(0, at - 80):at + 20])


def blind() -> list[str]:
    """Ways of telling a secret that the search would not see."""
    secret = "".join(secrets.choice(ALPHABET) for _ in range(SECRET_LENGTH)) + "/+="
    told = {
        "in base64": base64.b64encode(f"user:{secret}@".encode()),
        "in base64 for URLs": base64.urlsafe_b64encode(f"a{secret}".encode()),
        "in a URL": urllib.parse.quote(f"?key={secret}&x", safe="").encode(),
        "in hexadecimal": f"x{secret}".encode().hex().encode(),
        "cut behind": f"key {secret[:20]}…".encode(),
        "cut before": f"…{secret[-20:]} was refused".encode(),
    }
    return [f"a secret {how} goes unnoticed" for how, text in told.items() if not any(form in text for form in spellings(secret))]


def watch(file: str, duration: str) -> int:
    """Processes whose directory is that of a run: k6 and its supervisor."""
    runs = Path(os.environ["BOOKSTORE_STATE_DIR"]) / "runs"
    until, seen = time.monotonic() + float(duration), {}
    while time.monotonic() < until:
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if runs in Path(os.readlink(process / "cwd")).parents:
                    key = (process.name, (process / "cmdline").read_bytes())
                    seen[key] = (process / "environ").read_bytes()
            except OSError:
                continue
        time.sleep(0.1)
    lines = [b"%s\n%s\n" % (arguments.replace(b"\0", b" "), environment.replace(b"\0", b" ")) for (_, arguments), environment in seen.items()]
    Path(file).write_bytes(b"\n".join(lines))
    return 0 if lines else 1


def crawl(file: str, starts: list[str]) -> int:
    waiting, seen = list(starts), set(starts)
    with open(file, "ab") as out:
        while waiting and len(seen) < MOST_PAGES:
            url = waiting.pop(0)
            head, text, kind = answer(url)
            out.write(f"\n### {url}\n{head}\n".encode() + text)
            base = "{0.scheme}://{0.netloc}".format(urllib.parse.urlsplit(url))
            for path in named(text.decode(errors="replace"), kind):
                found = urllib.parse.urldefrag(urllib.parse.urljoin(url, path)).url
                if found.startswith(base) and found not in seen and not streams(found):
                    seen.add(found)
                    waiting.append(found)
    print(f"{len(seen)} addresses")
    return 0


def streams(url: str) -> bool:
    """What never ends."""
    return any(part in url for part in ("performance-hub", "/events", "/stream", "/live"))


def named(text: str, kind: str) -> list[str]:
    """Addresses of a page, and those paths of an OpenAPI document that need nothing."""
    if "html" in kind:
        return [html.unescape(path) for path in re.findall(r'(?:href|src)="([^"]+)"', text)]
    if "json" in kind and '"paths"' in text[:100_000]:
        paths = json.loads(text).get("paths", {})
        return [path for path, methods in paths.items() if "get" in methods and "{" not in path]
    return []


def answer(url: str) -> tuple[str, bytes, str]:
    """Head, body and type of the body; no type for a refusal."""
    request = urllib.request.Request(url, headers={"Accept": "text/html,*/*;q=0.5"})
    for name, value in (("Cookie", os.environ.get("COOKIE")), ("Authorization", os.environ.get("TOKEN"))):
        if value:
            request.add_header(name, value)
    try:
        with urllib.request.urlopen(request, timeout=REQUEST_SECONDS) as reply:
            return str(reply.headers), reply.read(), reply.headers.get_content_type()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return str(refusal.headers), refusal.read(), ""


def traces(file: str, url: str) -> int:
    services = json.loads(answer(f"{url}/api/services")[1])["data"]
    with open(file, "wb") as out:
        for service in services:
            end = time.time_ns() // 1000
            query = urllib.parse.urlencode({"service": service, "limit": MOST_TRACES, "start": end - 3600 * 1_000_000, "end": end})
            out.write(answer(f"{url}/api/traces?{query}")[1])
    print(f"traces of {', '.join(services)}")
    return 0


def main() -> int:
    command, *arguments = sys.argv[1:]
    match command:
        case "plant":
            return plant(*arguments)
        case "watch":
            return watch(*arguments)
        case "crawl":
            return crawl(arguments[0], arguments[1:])
        case "traces":
            return traces(*arguments)
        case "search":
            return search(arguments[0], arguments[1:])
    raise SystemExit(__doc__)


if __name__ == "__main__":
    sys.exit(main())
