/** Values with their units, as Grafana names them. */

const SMALL = [[1e-9, 'n'], [1e-6, 'µ'], [1e-3, 'm'], [1, ''], [1e3, 'k'], [1e6, 'M'], [1e9, 'G'], [1e12, 'T']];
const BINARY = [[1, 'B'], [1024, 'KiB'], [1024 ** 2, 'MiB'], [1024 ** 3, 'GiB'], [1024 ** 4, 'TiB']];
const TIMES = [[1e-6, 'µs'], [1e-3, 'ms'], [1, 's'], [60, 'min'], [3600, 'h'], [86400, 'd']];
const SUFFIXES = { reqps: ' req/s', ops: ' ops/s' };

/** Three digits that count, or as many decimals as the panel asks for. */
function number(value, decimals) {
  if (decimals !== undefined) return value.toFixed(decimals);
  if (value === 0) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return String(Number(value.toFixed(Math.min(digits, 12))));
}

function scaled(value, scales, decimals) {
  const size = Math.abs(value);
  const fitting = scales.filter(([from]) => size >= from * 0.9995);
  const [from, name] = fitting.at(-1) ?? scales[0];
  return [number(value / from, decimals), name];
}

/**
 * @param {number|null|undefined} value
 * @param {string} unit Grafana's name of it
 * @param {number} [decimals]
 * @returns {string} `–` where there is none
 */
export function format(value, unit, decimals) {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '-∞';
  if (unit === 's') return value === 0 ? '0 s' : scaled(value, TIMES, decimals).join(' ');
  if (unit === 'percentunit') return `${number(value * 100, decimals)} %`;
  if (unit === 'currencyUSD') return `$${number(value, decimals)}`;
  if (unit === 'bytes') return scaled(value, BINARY, decimals).join(' ');
  if (unit === 'Bps') return `${scaled(value, BINARY, decimals).join(' ')}/s`;
  if (Math.abs(value) < 1e3) return `${number(value, decimals)}${SUFFIXES[unit] ?? ''}`;
  return `${scaled(value, SMALL, decimals).join('')}${SUFFIXES[unit] ?? ''}`;
}

/** The name of a series: `{{label}}` of the legend filled in. */
export function legendOf(text, labels) {
  return text.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, name) => labels[name] ?? '').trim() || Object.values(labels).join(' ') || 'value';
}
