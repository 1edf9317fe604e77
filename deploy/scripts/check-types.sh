#!/usr/bin/env bash
# Holds the JavaScript of k6/ to its JSDoc types.
set -euo pipefail
# shellcheck source=lib/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/settings.sh"

readonly MODULES=$BOOKSTORE_TOOLS_DIR/typescript/node_modules

[[ -x $MODULES/.bin/tsc ]] || fail "TypeScript is missing: run make setup"
# The types lie with the tools, so that k6/ needs no packages of its own.
config=$(mktemp --suffix .json)
trap 'rm -f "$config"' EXIT
cat >"$config" <<CONFIG
{
  "extends": "$CHECKOUT/k6/jsconfig.json",
  "compilerOptions": {
    "allowJs": true,
    "typeRoots": ["$MODULES/@types"],
    "paths": { "k6": ["$MODULES/@types/k6/index.d.ts"], "k6/*": ["$MODULES/@types/k6/*/index.d.ts", "$MODULES/@types/k6/*"] }
  },
  "include": ["$CHECKOUT/k6/data", "$CHECKOUT/k6/lib", "$CHECKOUT/k6/system", "$CHECKOUT/k6/tests", "$CHECKOUT/k6/unit"]
}
CONFIG
"$MODULES/.bin/tsc" --project "$config"
echo 'types of k6/ are right'
