# shellcheck shell=bash
# Debian packages: taken when they are there, installed when we are root.

# package_minimum PACKAGE: the oldest version that will do.
package_minimum() {
  case $1 in
    redis-server) echo "$REDIS_MINIMUM" ;;
    prometheus) echo "$PROMETHEUS_MINIMUM" ;;
    prometheus-alertmanager) echo "$ALERTMANAGER_MINIMUM" ;;
    chromium) echo "$CHROMIUM_MINIMUM" ;;
    shellcheck) echo "$SHELLCHECK_MINIMUM" ;;
    *) fail "no minimum version is known for the package $1" ;;
  esac
}

# package_is_good PACKAGE: its program, which has the package's name, is on PATH
# and new enough.
package_is_good() {
  local path
  path=$(command -v "$1") || return 1
  at_least "$(package_minimum "$1")" "$(version_of "$1" "$path")"
}

# require_packages PACKAGE...: installs those that are missing or too old.
require_packages() {
  local package wanted=()
  for package in "$@"; do
    package_is_good "$package" || wanted+=("$package")
  done
  [[ ${#wanted[@]} -gt 0 ]] || return 0
  command -v apt-get >/dev/null ||
    fail "install ${wanted[*]} with your package manager and put them on PATH (versions: deploy/versions.env)"
  [[ $(id -u) == 0 ]] ||
    fail "${wanted[*]} missing or too old; run: sudo deploy/scripts/install-tools.sh packages"
  note "installing ${wanted[*]} with apt-get"
  install_without_starting "${wanted[@]}"
  for package in "${wanted[@]}"; do
    package_is_good "$package" ||
      fail "$package from this system's packages is older than $(package_minimum "$package"); install a newer one"
  done
}

# install_without_starting PACKAGE...: Debian starts a service when its package
# is installed, and would take the ports that our own processes need. A
# policy-rc.d that answers 101 forbids that; the one found is put back.
install_without_starting() (
  set -euo pipefail
  local policy=/usr/sbin/policy-rc.d saved
  saved=$(mktemp -d)
  if [[ -e $policy || -L $policy ]]; then
    mv "$policy" "$saved/"
  fi
  # shellcheck disable=SC2064 # the directory's name of now is the one to use
  trap "rm -f '$policy'; if [[ -e '$saved/policy-rc.d' || -L '$saved/policy-rc.d' ]]; then mv '$saved/policy-rc.d' '$policy'; fi; rmdir '$saved'" EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  export DEBIAN_FRONTEND=noninteractive
  if ! apt_install "$@" 2>/dev/null; then
    # The package lists may be missing or older than the mirror; the second
    # try says what is wrong.
    apt-get -qq -o Acquire::Retries=3 update
    apt_install "$@"
  fi
  if [[ -d /run/systemd/system ]]; then
    keep_off_at_boot "$@"
  fi
)

apt_install() {
  apt-get -qq -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 install -y --no-install-recommends "$@" >/dev/null
}

# keep_off_at_boot PACKAGE...: the next boot would start them on our ports.
keep_off_at_boot() {
  local package
  for package in "$@"; do
    if systemctl list-unit-files --no-legend "$package.service" | grep -q enabled; then
      systemctl disable --quiet "$package.service"
    fi
  done
}
