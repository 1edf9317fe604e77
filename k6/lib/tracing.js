/** W3C trace context and baggage, so that each request of a run can be found in the traces. */
import { randomBytes } from 'k6/crypto';
import exec from 'k6/execution';

const TRACE_ID_BYTES = 16;
const PARENT_ID_BYTES = 8;

/** Two hexadecimal digits per byte value, because padding each byte anew costs more than the request. */
const HEX = Array.from({ length: 256 }, (_, value) => value.toString(16).padStart(2, '0'));

/**
 * @typedef {object} Trace
 * @property {string} traceId 32 hexadecimal digits
 * @property {boolean} sampled
 * @property {Record<string, string>} headers traceparent and baggage
 */

/**
 * @param {import('./config.js').Config} config
 * @returns {Trace} of one request
 */
export function newTrace(config) {
  const bytes = new Uint8Array(randomBytes(TRACE_ID_BYTES + PARENT_ID_BYTES));
  let digits = '';
  for (const byte of bytes) digits += HEX[byte];
  const traceId = digits.slice(0, 2 * TRACE_ID_BYTES);
  const sampled = Math.random() < config.traceSample;
  return {
    traceId,
    sampled,
    headers: {
      traceparent: `00-${traceId}-${digits.slice(2 * TRACE_ID_BYTES)}-${sampled ? '01' : '00'}`,
      baggage: `test.id=${config.testId},test.scenario=${config.scenario}`,
    },
  };
}

/** Whether the measurements of this user have a trace's name. */
let named = false;

/**
 * Gives what is measured from now on the name of a trace, or none where nobody keeps it. It makes no series.
 * @param {Trace} trace
 */
export function nameTrace({ traceId, sampled }) {
  if (sampled) exec.vu.metrics.metadata.trace_id = traceId;
  else if (named) delete exec.vu.metrics.metadata.trace_id;
  named = sampled;
}
