/**
 * Durations of a Server-Timing header by their names.
 * @param {string|undefined} header for example `queue;dur=0.1, ttft;dur=182.4`
 * @returns {Record<string, number>} milliseconds; entries without a duration are left out
 */
export function serverTiming(header) {
  /** @type {Record<string, number>} */
  const durations = {};
  for (const entry of (header || '').split(',')) {
    const [name, ...parameters] = entry.split(';').map((part) => part.trim());
    const duration = parameters.map((p) => /^dur="?([0-9.]+)"?$/i.exec(p)).find(Boolean);
    if (name && duration) durations[name] = Number(duration[1]);
  }
  return durations;
}
