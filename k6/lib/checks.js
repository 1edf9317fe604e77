/** Holds answers against their routes. */
import { check } from 'k6';

/** Enough to see what is wrong; a broken server would otherwise fill the log. */
const LOGGED_FAILURES_PER_USER = 5;

/** Characters of a wrong answer that are worth reading. */
const LOGGED_LENGTH = 300;

let logged = 0;

/**
 * Checks status and shape of an answer, and logs the first wrong ones with their trace id.
 * @param {import('./api.js').Route} route
 * @param {import('k6/http').RefinedResponse<'text'>} response
 * @param {string} traceId
 * @returns {{ok: boolean, body: any}} body: the parsed JSON, the text of other kinds, or null
 */
export function verify(route, response, traceId) {
  const body = content(response);
  const label = `${route.method} ${route.path}`;
  const statuses = [route.status].flat();
  const held = {
    [`${label}: status ${statuses.join(' or ')}`]: () => statuses.includes(response.status),
    [`${label}: shape`]: () => body !== undefined && route.shape(body),
  };
  const ok = route.unchecked ? Object.values(held).every((holds) => holds()) : check(response, held);
  if (!ok) logWrong(`${label}: status ${response.status}, trace ${traceId}: ${response.error || response.body || ''}`);
  return { ok, body: body === undefined ? null : body };
}

/**
 * Logs what was wrong with an answer; the first few of each user.
 * @param {string} what
 */
export function logWrong(what) {
  if (logged >= LOGGED_FAILURES_PER_USER) return;
  logged += 1;
  console.warn(`wrong answer: ${what.slice(0, LOGGED_LENGTH)}`);
}

/** The body after its content type; undefined when it is not what it claims to be. */
function content(response) {
  if (!response.body) return null;
  if (!/^application\/([a-z.]+\+)?json\b/.test(response.headers['Content-Type'] || '')) return response.body;
  try {
    return JSON.parse(response.body);
  } catch {
    return undefined;
  }
}
