# shellcheck shell=bash
# Tools of Node.js, exactly as the lock files of deploy/tools pin them.

# require_node_tool NAME: installs deploy/tools/NAME into the tools' directory when
# its lock file is another one than that of the last installation.
require_node_tool() {
  local name=$1 module=$CHECKOUT/deploy/tools/$1 directory=$BOOKSTORE_TOOLS_DIR/$1 key
  key=$(sha256sum <"$module/package-lock.json" | cut -c 1-16)
  if [[ -f $directory/stamp && $(cat "$directory/stamp") == "$key" ]]; then return; fi
  command -v npm >/dev/null || fail "npm is missing: install Node.js 20 or newer"
  note "installing $name"
  mkdir -p "$directory"
  rm -f "$directory/stamp"
  cp "$module/package.json" "$module/package-lock.json" "$directory/"
  (cd "$directory" && npm ci --no-audit --no-fund --loglevel=error >&2)
  printf '%s\n' "$key" >"$directory/stamp"
}
