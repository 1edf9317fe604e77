/** Who refused to make a summary, told apart by the type of the problem document. */

/**
 * By the last word of a problem's type, as the API's reference has them.
 * @type {Readonly<Record<string, string>>}
 */
const BY_TYPE = Object.freeze({
  'provider-rate-limited': 'provider',
  overloaded: 'queue',
  'ledger-full': 'queue',
  'budget-exceeded': 'budget',
  'rate-limit-exceeded': 'budget',
  'circuit-open': 'circuit',
});

/** A 429 of which nothing says who sent it, such as one by a proxy or another server. */
const NOBODY_KNOWN = 'nobody_known';

/** All that can refuse. */
export const REFUSALS = Object.freeze([...new Set(Object.values(BY_TYPE)), NOBODY_KNOWN]);

/**
 * @param {number} status
 * @param {any} problem the problem document, of an answer or of the last event of a stream
 * @returns {string|null} one of REFUSALS; null when nothing was refused
 */
export function refusalOf(status, problem) {
  const type = problem && typeof problem.type === 'string' ? problem.type : '';
  const by = BY_TYPE[type.split(/[/:#]/).pop()];
  return by || (status === 429 ? NOBODY_KNOWN : null);
}
