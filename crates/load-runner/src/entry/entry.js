// Written by the performance service: runs a suite with the options that were asked for.
import * as suite from __SUITE__;
export * from __SUITE__;

const requested = JSON.parse(open('./options.json'));
const own = suite.options || {};
const replacesLoad = ['vus', 'duration', 'iterations', 'scenarios'].some((name) => name in requested);

export const options = replacesLoad ? withoutLoad() : Object.assign({}, own);
options.thresholds = Object.assign({}, options.thresholds, requested.thresholds);
for (const name of Object.keys(requested)) {
  if (name !== 'thresholds') options[name] = requested[name];
}

// The suite's options but for its load, and but for thresholds of scenarios that now do not run.
function withoutLoad() {
  const kept = Object.assign({}, own);
  const thresholds = Object.assign({}, own.thresholds);
  for (const name of ['scenarios', 'stages', 'vus', 'duration', 'iterations']) delete kept[name];
  for (const name of Object.keys(thresholds)) {
    if (/[{,]\s*scenario\s*:/.test(name)) delete thresholds[name];
  }
  if ('scenarios' in requested) return Object.assign(kept, { thresholds });
  // Users without a time, or a time without users, take the other from the suite, else the least.
  if (!('vus' in requested)) kept.vus = own.vus || 1;
  if (!('duration' in requested) && !('iterations' in requested)) kept.duration = own.duration || '30s';
  return Object.assign(kept, { thresholds });
}

// A suite of scenarios alone has no default function: its functions then take turns.
const functions = Object.values(own.scenarios || {}).map(({ exec }) => suite[exec]);
const takesTurns = replacesLoad && suite.default === undefined && functions.every(Boolean) && functions.length > 0;
const inTurn = (data) => functions[(__VU + __ITER) % functions.length](data);

export default takesTurns ? inTurn : suite.default;

export function handleSummary(data) {
  return { 'summary.json': JSON.stringify(data) };
}
