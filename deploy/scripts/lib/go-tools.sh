# shellcheck shell=bash
# Tools built from deploy/tools, one Go module each, and their cache.

readonly TOOLS_CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/bookstore/tools

# require_go_tool NAME MODULE-DIRECTORY PACKAGE VERSION [LINKER-FLAG]
require_go_tool() {
  local name=$1 module=$CHECKOUT/deploy/tools/$2 package=$3 version=$4 linker=${5:-} key
  key=$(module_key "$module" "$version $linker")
  if [[ -x $BOOKSTORE_TOOLS_DIR/bin/$name && $(stamp_of "$name") == "$key" ]]; then
    return
  fi
  if take_from_path "$name" "$version" "$key" || restore_from_cache "$name" "${version#v}" "$key"; then
    return
  fi
  require_go
  note "building $name $version (a minute or two, once)"
  local work
  work=$(mktemp -d)
  # Static, so that the binary runs alone in a sandbox; read-only, so that a
  # build never changes what is pinned.
  (cd "$module" && CGO_ENABLED=0 GOFLAGS=-buildvcs=false nice go build -mod=readonly -trimpath \
    -ldflags "-s -w $linker" -o "$work/$name" "$package")
  publish "$name" "$work/$name" "${version#v}" "$key"
  rm -rf "$work"
}

# module_key DIRECTORY SALT: changes with everything that goes into the binary.
module_key() {
  local file
  {
    printf '%s %s\n' "$2" "$(uname -m)"
    for file in "$1"/go.mod "$1"/go.sum "$1"/*.go; do
      if [[ -f $file ]]; then cat "$file"; fi
    done
  } | sha256sum | cut -c 1-16
}

stamp_of() {
  local stamp=$BOOKSTORE_TOOLS_DIR/stamps/$1
  if [[ -f $stamp ]]; then cat "$stamp"; fi
}

# take_from_path NAME VERSION KEY: exactly the pinned version, since load
# figures of two versions do not compare. It is copied, so that one directory
# holds every tool.
take_from_path() {
  local name=$1 version=$2 key=$3 found
  found=$(command -v "$name") || return 1
  [[ $(version_of "$name" "$found") == "${version#v}" ]] || return 1
  place "$name" "$found" "$key"
}

# restore_from_cache NAME VERSION KEY
restore_from_cache() {
  local name=$1 version=$2 key=$3 cached=$TOOLS_CACHE/$1-$3/$1
  [[ ${BOOKSTORE_TOOLS_CACHE:-on} != off && -x $cached ]] || return 1
  [[ $(version_of "$name" "$cached") == "$version" ]] || return 1
  place "$name" "$cached" "$key"
}

# publish NAME FILE VERSION KEY: into the tools and the cache, when it says the
# version that it was built from.
publish() {
  local name=$1 file=$2 version=$3 key=$4 said
  said=$(version_of "$name" "$file")
  [[ $said == "$version" ]] || fail "$name says version \"$said\", $version was built"
  place "$name" "$file" "$key"
  mkdir -p "$TOOLS_CACHE/$name-$key"
  cp "$file" "$TOOLS_CACHE/$name-$key/.$name.$$"
  mv "$TOOLS_CACHE/$name-$key/.$name.$$" "$TOOLS_CACHE/$name-$key/$name"
}

# place NAME FILE KEY: by rename, so that a running tool keeps its own file.
# Chained, since a caller's condition switches off the shell's own stop.
place() {
  local target=$BOOKSTORE_TOOLS_DIR/bin stamps=$BOOKSTORE_TOOLS_DIR/stamps
  mkdir -p "$target" "$stamps" &&
    cp -L "$2" "$target/.$1.$$" &&
    chmod 755 "$target/.$1.$$" &&
    mv "$target/.$1.$$" "$target/$1" &&
    printf '%s\n' "$3" >"$stamps/$1"
}

require_go() {
  local go
  go=$(command -v go) || fail "go is missing: install Go $GO_MINIMUM or newer from https://go.dev/dl"
  at_least "$GO_MINIMUM" "$(version_of go "$go")" ||
    fail "go is older than $GO_MINIMUM: install a newer one from https://go.dev/dl"
}
