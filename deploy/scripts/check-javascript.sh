#!/usr/bin/env bash
# Lints the project's JavaScript.
set -euo pipefail
# shellcheck source=lib/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/settings.sh"

readonly MODULES=$BOOKSTORE_TOOLS_DIR/eslint/node_modules

[[ -x $MODULES/.bin/eslint ]] || fail "ESLint is missing: run make setup"
cd "$CHECKOUT"
# The modules that the configuration asks for lie with the tools.
NODE_PATH=$MODULES "$MODULES/.bin/eslint" --max-warnings 0 \
  --config deploy/tools/eslint/eslint.config.cjs \
  crates/performance-service/assets deploy k6 monitoring postman
echo 'JavaScript is clean'
