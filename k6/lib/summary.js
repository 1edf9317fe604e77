/** The end of a run: one JSON for programs and a few lines for people. */
import { SETUP_REQUESTS } from './thresholds.js';

/**
 * A k6 handleSummary that writes summary.json into the current directory and a short text to
 * stdout. The JSON has k6's own `metrics` (with their thresholds), `root_group` (with the
 * checks) and `state`, and the settings of the run under `run`.
 * @param {import('./config.js').Config} config
 * @returns {(data: any) => Record<string, string>}
 */
export function summaryOf(config) {
  return (data) => ({
    'summary.json': `${JSON.stringify({ run: config, state: data.state, metrics: data.metrics, root_group: data.root_group })}\n`,
    stdout: text(config, data),
  });
}

function text(config, data) {
  const seconds = (data.state.testRunDurationMs / 1000).toFixed(1);
  const lines = [
    `${config.testId}: ${config.scenario}, ${config.model} model, scale ${config.scale}, ${seconds} s against ${config.baseUrl}`,
    ...traffic(data.metrics),
    ...failedChecks(data.root_group),
    ...crossed(data.metrics),
  ];
  return `\n${lines.join('\n')}\n\n`;
}

/** Requests of the load, then one line for each trend of latencies, the whole first. */
function traffic(metrics) {
  const requests = (name) => (metrics[name] ? metrics[name].values.count : 0);
  const count = requests('http_reqs') - requests(SETUP_REQUESTS);
  const failed = metrics.http_req_failed ? metrics.http_req_failed.values.rate : 0;
  const lines = [`requests ${count}, failed ${(failed * 100).toFixed(2)} %`];
  for (const name of Object.keys(metrics).sort()) {
    const { type, contains, values } = metrics[name];
    const isLatency = type === 'trend' && contains === 'time' && /^(http_req_duration|ai_)/.test(name);
    if (isLatency && values.count > 0) lines.push(`${name}: ${percentiles(values)}`);
    if (type === 'counter' && name.startsWith('ai_')) lines.push(`${name}: ${values.count}`);
  }
  return lines;
}

function percentiles(values) {
  return ['p(50)', 'p(95)', 'p(99)'].map((stat) => `${stat} ${values[stat].toFixed(1)} ms`).join(', ');
}

function failedChecks(group) {
  const own = group.checks
    .filter((check) => check.fails > 0)
    .map((check) => `check failed ${check.fails} of ${check.passes + check.fails}: ${check.name}`);
  return own.concat(...group.groups.map(failedChecks));
}

function crossed(metrics) {
  const lines = [];
  for (const name of Object.keys(metrics).sort()) {
    for (const [expression, { ok }] of Object.entries(metrics[name].thresholds || {})) {
      if (!ok) lines.push(`threshold crossed: ${name} ${expression}`);
    }
  }
  return lines.length > 0 ? lines : ['every threshold held'];
}
