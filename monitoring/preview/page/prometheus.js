/** Range queries of a dashboard, with values in place of Grafana's macros and variables. */

/** Points of a chart: one a pixel or two. */
const MAX_POINTS = 400;
/** The fewest seconds between two points. */
const MIN_STEP = 1;
/** The step that annotations ask for, and what joins two of their points. */
const EVENT_STEP = 15;

/** A time to look at, in seconds since the epoch, and how it is cut into points. */
export class Span {
  /**
   * @param {number} from
   * @param {number} to
   * @param {number} scrape seconds between two scrapes
   */
  constructor(from, to, scrape) {
    this.step = Math.max(MIN_STEP, Math.ceil((to - from) / MAX_POINTS));
    // The same instants for every query, whenever it is asked.
    this.to = Math.ceil(to / this.step) * this.step;
    this.from = Math.floor(from / this.step) * this.step;
    this.rate = Math.max(this.step + scrape, 4 * scrape);
    this.times = Array.from({ length: Math.floor((this.to - this.from) / this.step) + 1 }, (_, i) => this.from + i * this.step);
  }

  get seconds() {
    return Math.round(this.to - this.from);
  }
}

/**
 * @param {string} text PromQL, or a link
 * @param {Record<string, string>} values of variables by name
 * @param {Span} span
 */
export function filled(text, values, span) {
  const macros = {
    __rate_interval: `${span.rate}s`, __range: `${span.seconds}s`, __from: String(span.from * 1000), __to: String(span.to * 1000),
  };
  const all = { ...macros, ...values };
  return text.replace(/\$(?:\{([\w.]+)\}|(\w+))/g, (whole, braced, plain) => all[braced ?? plain] ?? whole);
}

/** A browser gives up what is under way when a network of its machine comes or goes; nothing is changed by asking again. */
async function get(address) {
  try {
    return await fetch(address);
  } catch {
    return fetch(address);
  }
}

async function ask(call, parameters) {
  const reply = await get(`/api/v1/${call}?${new URLSearchParams(parameters)}`);
  const body = await reply.json().catch(() => ({ error: `${reply.status}` }));
  if (!reply.ok || body.status !== 'success') throw new Error(body.error ?? `Prometheus answers ${reply.status}`);
  return body.data;
}

/**
 * @param {string} expr
 * @param {Span} span
 * @returns {Promise<{labels: Record<string, string>, values: (number|null)[]}[]>} values at the span's times
 */
export async function range(expr, span) {
  const { result } = await ask('query_range', { query: expr, start: String(span.from), end: String(span.to), step: String(span.step) });
  return result.map((series) => {
    const found = new Map(series.values.map(([at, value]) => [Math.round(at), Number(value)]));
    return { labels: series.metric, values: span.times.map((at) => (Number.isFinite(found.get(at)) ? found.get(at) : null)) };
  });
}

/** @returns {Promise<{trace: string, at: number, value: number}[]>} the calls behind a histogram */
export async function exemplars(expr, span) {
  const groups = await ask('query_exemplars', { query: expr, start: String(span.from), end: String(span.to) });
  return groups.flatMap(({ exemplars: found }) => found)
    .map((one) => ({ trace: one.labels.trace_id, at: one.timestamp, value: Number(one.value) }))
    .filter(({ trace }) => trace);
}

/** The values of `label_values(SELECTOR, LABEL)`. */
export async function labelValues(definition, values, span) {
  const [, selector, label] = /^label_values\((.+), (\w+)\)$/.exec(definition) ?? [];
  if (!label) throw new Error(`${definition} is no label_values`);
  return ask(`label/${label}/values`, { 'match[]': filled(selector, values, span), start: String(span.from), end: String(span.to) });
}

/** Seconds between two scrapes, as Prometheus' own configuration says first. */
export async function scrapeInterval() {
  const { yaml } = await ask('status/config', {});
  const [, number, unit] = /scrape_interval:\s*(\d+)(ms|s|m)/.exec(yaml) ?? [];
  return Number(number ?? 15) * ({ ms: 0.001, s: 1, m: 60 }[unit] ?? 1);
}

/**
 * What happened in the span: one event for each row of points without a gap.
 * @returns {Promise<{from: number, to: number, title: string, labels: Record<string, string>}[]>}
 */
export async function events(annotation, span) {
  const step = Math.max(EVENT_STEP, span.step);
  const { result } = await ask('query_range', { query: annotation.expr, start: String(span.from), end: String(span.to), step: String(step) });
  return result.flatMap(({ metric, values }) => {
    const title = annotation.titleFormat.replace(/\{\{(\w+)\}\}/g, (_, name) => metric[name] ?? '');
    const found = [];
    for (const [at] of values) {
      const last = found.at(-1);
      if (last && at - last.to <= step) last.to = at;
      else found.push({ from: at, to: at, title, labels: metric });
    }
    return found;
  });
}
