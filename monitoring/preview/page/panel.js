/** One panel of a dashboard: its title, its lines or numbers, and where it leads. */
import { colour, draw } from './chart.js';
import { top } from './dots.js';
import { format, legendOf } from './format.js';
import { exemplars, filled, range } from './prometheus.js';

/** Series of a panel that are named. */
const MAX_NAMED = 40;
/** Of the highest dots, those that stand among the links. */
const MAX_TRACES = 3;

/** The charts by their panels. */
const plots = new WeakMap();

/** An element with its text and classes. */
export function element(name, { text = '', className = '', ...rest } = {}, ...children) {
  const made = Object.assign(document.createElement(name), rest);
  if (className) made.className = className;
  made.append(...(text ? [text] : []), ...children);
  return made;
}

/** A description, with code where Grafana's Markdown has backticks. */
function described(text) {
  const parts = text.split('`').map((part, n) => (n % 2 ? element('code', { text: part }) : part));
  return element('p', {}, ...parts);
}

const last = (values) => values.findLast((value) => value !== null) ?? null;
const most = (values) => values.reduce((highest, value) => (value === null ? highest : Math.max(highest ?? value, value)), null);

/** Every line of the panel, and the calls behind its histograms. */
async function read(panel, view) {
  const found = await Promise.all(panel.targets.map(async (target) => {
    const expr = filled(target.expr, view.values, view.span);
    const series = await range(expr, view.span);
    const behind = target.exemplar ? await exemplars(expr, view.span).catch(() => []) : [];
    // A number is of the last moment alone.
    const shown = target.instant ? series.filter(({ values }) => values.at(-1) !== null) : series;
    return { lines: shown.map(({ labels, values }) => ({ name: legendOf(target.legendFormat, labels), labels, values })), behind };
  }));
  return { lines: found.flatMap(({ lines }) => lines), behind: found.flatMap(({ behind }) => behind) };
}

function link(url, view, labels = {}) {
  const own = Object.fromEntries(Object.entries(labels).map(([name, value]) => [`__field.labels.${name}`, value]));
  const address = filled(url, { ...view.values, ...own }, view.span);
  return address.includes('${') ? null : address;
}

/** Where the panel leads: what needs a line's labels stands at the line. Dots, for those who do not click on them. */
function ways(panel, view, behind) {
  const { unit, decimals, links } = panel.fieldConfig.defaults;
  const dots = top(behind, MAX_TRACES).map(({ trace, value }) => [`Trace of ${format(value, unit, decimals)}`, `${view.values.jaeger}/trace/${trace}`]);
  const found = links.map(({ title, url }) => [title, link(url, view)]).filter(([, address]) => address);
  const items = [...dots, ...found].map(([text, href]) => element('li', {}, element('a', { text, href })));
  return element('details', {}, element('summary', { text: 'Go to' }), element('ul', {}, ...items));
}

function legend(panel, lines, view) {
  const { unit, decimals, links } = panel.fieldConfig.defaults;
  const ofLine = links.find(({ url }) => url.includes('/runs/${__field.labels'));
  const rows = lines.slice(0, MAX_NAMED).map(({ name, labels, values }, n) => {
    const swatch = element('span', { className: 'swatch' });
    swatch.style.backgroundColor = colour(n);
    const href = ofLine && link(ofLine.url, view, labels);
    const head = element('th', { scope: 'row' }, swatch, href ? element('a', { text: name, href }) : name);
    return element('tr', {}, head, element('td', { text: format(last(values), unit, decimals) }), element('td', { text: format(most(values), unit, decimals) }));
  });
  const left = lines.length - rows.length;
  const names = [element('th', { text: left > 0 ? `${rows.length} of ${lines.length} series` : 'series', scope: 'col' })];
  const head = element('tr', {}, ...names, element('th', { text: 'last', scope: 'col' }), element('th', { text: 'max', scope: 'col' }));
  const table = element('table', {}, element('thead', {}, head), element('tbody', {}, ...rows));
  const place = element('div', { className: 'legend', tabIndex: 0, role: 'region' }, table);
  place.setAttribute('aria-label', `series of ${panel.title}`);
  return place;
}

function colourOf(value, steps) {
  return steps.findLast((step) => step.value === null || value >= step.value)?.color ?? '';
}

function numbers(panel, lines) {
  const { unit, decimals, thresholds } = panel.fieldConfig.defaults;
  const judged = thresholds.steps.length > 1;
  const one = ({ name, values }) => {
    const value = last(values);
    const className = judged && value !== null ? colourOf(value, thresholds.steps) : '';
    return element('div', {}, element('b', { text: format(value, unit, decimals), className }), element('span', { text: name }));
  };
  const place = element('div', { className: 'stats', tabIndex: 0, role: 'region' }, ...lines.slice(0, MAX_NAMED).map(one));
  place.setAttribute('aria-label', panel.title);
  return place;
}

/** The element of a panel, still without data. */
export function frame(panel) {
  const { w, h, x } = panel.gridPos;
  const made = element('section', { className: 'panel' }, element('h2', { text: panel.title }), described(panel.description));
  made.style.gridColumn = `${x + 1} / span ${w}`;
  made.dataset.height = h;
  made.dataset.state = 'waiting';
  return made;
}

/** Asks for the panel's data and draws them; what was there stays until then. */
export async function fill(place, panel, view) {
  let drawn;
  let state = 'drawn';
  const chart = element('div', { className: 'chart' });
  let data = { behind: [] };
  try {
    data = await read(panel, view);
    if (data.lines.length === 0) {
      state = 'empty';
      drawn = [element('p', { className: 'nothing', text: 'no data in this time' })];
    } else if (panel.type === 'stat') {
      drawn = [numbers(panel, data.lines)];
    } else {
      drawn = [chart, legend(panel, data.lines, view)];
    }
  } catch (error) {
    state = 'failed';
    drawn = [element('p', { className: 'nothing failed', text: error.message })];
  }
  const open = place.querySelector('details')?.open;
  const way = ways(panel, view, data.behind);
  way.open = Boolean(open);
  plots.get(place)?.destroy();
  place.replaceChildren(...[...place.children].slice(0, 2), ...drawn, way);
  if (chart.isConnected) {
    const onDot = ({ trace }) => location.assign(`${view.values.jaeger}/trace/${trace}`);
    plots.set(place, draw(chart, panel, { lines: data.lines, exemplars: data.behind, events: view.events, times: view.span.times, onDot }));
  }
  place.dataset.state = state;
}
