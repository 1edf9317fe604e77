/** The page: a dashboard, a time, values of its variables; all of it stands in the address. */
import { element, fill, frame } from './panel.js';
import { events, labelValues, scrapeInterval, Span } from './prometheus.js';

const RANGES = { 'now-5m': '5 minutes', 'now-15m': '15 minutes', 'now-30m': '30 minutes', 'now-1h': 'an hour', 'now-3h': '3 hours', 'now-6h': '6 hours', 'now-24h': 'a day', 'now-7d': '7 days' };
const UNITS = { m: 60, h: 3600, d: 86400 };
const ALL = '.*';

const at = (id) => document.getElementById(id);
const uid = location.pathname.replace('/d/', '');
const chosen = new URLSearchParams(location.search);

/** `now`, `now-30m` or milliseconds, in seconds since the epoch. */
function instant(text) {
  const [, count, unit] = /^now-(\d+)([mhd])$/.exec(text) ?? [];
  if (unit) return Date.now() / 1000 - Number(count) * UNITS[unit];
  return text === 'now' ? Date.now() / 1000 : Number(text) / 1000;
}

function choose(name, value) {
  if (value) chosen.set(name, value);
  else chosen.delete(name);
  location.search = chosen.toString();
}

function options(select, values, now) {
  const entries = Object.entries(values).map(([value, text]) => element('option', { value, text, selected: value === now }));
  select.replaceChildren(...entries);
}

/** Regular expressions have signs that values of labels have too. */
const quoted = (value) => value.replace(/[.*+?^${}()|[\]\\]/g, (sign) => `\\\\${sign}`);

/** A choice for each variable; those before it narrow it. */
async function readVariables(dashboard, span) {
  const choices = [...chosen].filter(([name]) => name.startsWith('var-'));
  // For links to other dashboards.
  const values = { __all_variables: new URLSearchParams(choices).toString() };
  for (const variable of dashboard.templating.list) {
    // The pages of traces are here: Jaeger has none where it is a process.
    if (variable.type === 'constant') values[variable.name] = variable.name === 'jaeger' ? location.origin : variable.query;
    if (variable.type !== 'query') continue;
    const found = await labelValues(variable.definition, values, span);
    const key = `var-${variable.name}`;
    const now = chosen.get(key) ?? '';
    const select = element('select');
    options(select, { '': 'all', ...Object.fromEntries([...new Set([...found, ...(now ? [now] : [])])].map((value) => [value, value])) }, now);
    select.addEventListener('change', () => choose(key, select.value));
    at('choices').append(element('label', { text: `${variable.label} ` }, select));
    values[variable.name] = now ? quoted(now) : ALL;
  }
  return values;
}

async function readEvents(dashboard, span) {
  const kinds = dashboard.annotations.list;
  const found = await Promise.all(kinds.map(async (kind) => (await events(kind, span)).map((event) => ({ ...event, color: kind.iconColor, kind: kind.name }))));
  return found.flat().sort((one, other) => one.from - other.from);
}

/** What happened, as a list: the charts show the same as bands. */
function showEvents(found, values) {
  at('events')?.remove();
  const items = found.map(({ from, title, kind, labels }) => {
    const text = `${new Date(from * 1000).toISOString().slice(11, 19)} ${kind}: ${title}`;
    return element('li', {}, labels.test_id ? element('a', { text, href: `${values.performance}/runs/${labels.test_id}` }) : text);
  });
  const list = element('details', { id: 'events' }, element('summary', { text: `${found.length} events` }), element('ul', {}, ...items));
  if (found.length > 0) at('description').after(list);
}

/** Rows with their panels, those of closed rows among them. */
function layOut(dashboard) {
  const rows = [];
  for (const panel of dashboard.panels) {
    if (panel.type === 'row') rows.push({ title: panel.title, open: !panel.collapsed, panels: [...panel.panels] });
    else rows.at(-1).panels.push(panel);
  }
  return rows.map(({ title, open, panels }) => {
    const frames = panels.map((panel) => ({ panel, place: frame(panel) }));
    const grid = element('div', { className: 'grid' }, ...frames.map(({ place }) => place));
    const row = element('details', { className: 'row', open }, element('summary', { text: title }), grid);
    at('panels').append(row);
    return { row, frames };
  });
}

async function refresh(dashboard, rows, view) {
  const filling = rows.filter(({ row }) => row.open).flatMap(({ frames }) => frames.map(({ place, panel }) => fill(place, panel, view)));
  await Promise.all(filling);
  at('state').textContent = `as of ${new Date(view.span.to * 1000).toISOString().slice(0, 19)}Z`;
  document.body.dataset.state = 'drawn';
}

async function main() {
  const [list, dashboard] = await Promise.all([fetch('/dashboards'), fetch(`/dashboards/${uid}.json`)]);
  if (!dashboard.ok) throw new Error(`there is no dashboard ${uid}`);
  const board = await dashboard.json();
  document.title = board.title;
  options(at('dashboard'), Object.fromEntries((await list.json()).map((one) => [one.uid, one.title])), uid);
  at('dashboard').addEventListener('change', () => location.assign(`/d/${at('dashboard').value}?${chosen}`));
  at('description').textContent = board.description;
  const [from, to] = [chosen.get('from') ?? board.time.from, chosen.get('to') ?? board.time.to];
  const known = to === 'now' && from in RANGES;
  options(at('range'), known ? RANGES : { ...RANGES, '': 'as in the link' }, known ? from : '');
  at('range').addEventListener('change', () => { chosen.set('to', 'now'); choose('from', at('range').value); });
  const scrape = await scrapeInterval();
  const now = () => new Span(instant(from), instant(to), scrape);
  const values = await readVariables(board, now());
  const rows = layOut(board);
  const look = async () => {
    const span = now();
    const view = { span, values, events: await readEvents(board, span) };
    showEvents(view.events, values);
    await refresh(board, rows, view);
  };
  await look();
  // Only now: rows that begin open say so as well.
  for (const { row, frames } of rows) {
    row.addEventListener('toggle', () => {
      if (row.open && frames.some(({ place }) => place.dataset.state === 'waiting')) look().catch(fail);
    });
  }
  options(at('again'), { 0: 'never', 5: 'each 5 s', 15: 'each 15 s' }, chosen.get('again') ?? '0');
  at('again').addEventListener('change', () => choose('again', at('again').value));
  const seconds = Number(chosen.get('again') ?? 0);
  if (seconds > 0) setInterval(() => { if (!document.hidden) look().catch(fail); }, seconds * 1000);
}

function fail(error) {
  at('state').textContent = error.message;
  document.body.dataset.state = 'failed';
}

main().catch(fail);
