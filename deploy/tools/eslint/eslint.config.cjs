// What the project's JavaScript is held to. Each kind of file knows the globals of
// where it runs: k6, Node.js or a browser.

const js = require("@eslint/js");
const globals = require("globals");

/** What k6 2 gives to a script; https://grafana.com/docs/k6/latest/javascript-api/ */
const k6 = {
  __ENV: "readonly",
  __VU: "readonly",
  __ITER: "readonly",
  open: "readonly",
  console: "readonly",
  setTimeout: "readonly",
  clearTimeout: "readonly",
};

module.exports = [
  { ignores: ["**/vendor/**"] },
  js.configs.recommended,
  {
    languageOptions: { ecmaVersion: 2024, sourceType: "module" },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      eqeqeq: "error",
      "no-implicit-globals": "error",
      "no-unused-vars": ["error", { caughtErrors: "none", varsIgnorePattern: "^_" }],
      "no-var": "error",
      "prefer-const": "error",
    },
  },
  {
    files: ["k6/lib/**", "k6/tests/**", "k6/journeys/**", "k6/data/*.js", "**/k6/*.js"],
    languageOptions: { globals: k6 },
    rules: {
      // k6 would fetch such a module at each start, from whoever answers.
      "no-restricted-imports": ["error", { patterns: [{ regex: "^(https?:|k6/x/)" }] }],
    },
  },
  {
    files: ["**/*.cjs"],
    languageOptions: { sourceType: "commonjs", globals: globals.commonjs },
  },
  {
    files: ["**/*.mjs", "**/*.test.js", "k6/system/**", "deploy/**"],
    languageOptions: { globals: globals.nodeBuiltin },
  },
  {
    files: ["crates/performance-service/assets/**", "deploy/web-tests/**", "monitoring/preview/page/**"],
    languageOptions: { globals: globals.browser },
  },
];
