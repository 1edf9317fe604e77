/** The tokens of a target that asks who calls: made by data/tokens.mjs, or put there by hand. */

/** Beside the suites, since a script in its sandbox can read nothing else. */
const FILE = '../private/tokens.json';

/**
 * @typedef {object} Tokens
 * @property {Record<string, {viewer: string, engineer: string, admin: string}>} tenants at least two
 * @property {string} revoked was let in once (lib/guarded.sh looks), and is not any more
 */

/**
 * @returns {Tokens|null} null when there is no such file
 * @throws {Error} when the file is no list of tokens
 */
export function readTokens() {
  let text;
  try {
    text = open(import.meta.resolve(FILE));
  } catch {
    return null;
  }
  const tokens = JSON.parse(text);
  if (Object.keys(tokens.tenants || {}).length < 2 || typeof tokens.revoked !== 'string') {
    throw new Error(`${FILE} must have two tenants and a revoked token, as data/tokens.mjs makes them`);
  }
  return tokens;
}

/**
 * @param {string} token
 * @returns {Record<string, string>}
 */
export function bearer(token) {
  return { Authorization: `Bearer ${token}` };
}
