/** A panel's lines over time, drawn by uPlot. */
import { clamped, highest } from './dots.js';
import { format } from './format.js';

const LIGHT = ['#2c6fa6', '#c05b16', '#267768', '#8e4fa8', '#a8242f', '#7a6a12', '#4c5a66', '#d08a00', '#1f9aa8', '#b04a86'];
const DARK = ['#7db8e8', '#f2a065', '#7ad9b8', '#cfa1e6', '#ff8f86', '#d8c65a', '#aab6c0', '#feb03e', '#6fd3de', '#ee9ac8'];
/** Kinds of events by colour, and the height of the bar that each has. */
export const EVENTS = { blue: '#2c6fa6', purple: '#8e4fa8', green: '#267768', yellow: '#d08a00', red: '#c0281c' };
const THRESHOLDS = { red: '#c0281c', yellow: '#d08a00', green: '#267768' };
const BARS = Object.keys(EVENTS);
const BAR = 3;
const HEIGHT = 190;
const DAY = 86400;
/** Lines that are told apart; a legend names more of them, nobody sees them. */
const MAX_LINES = 40;
/** How far from a dot a click still means it. */
const NEAR = 9;

const dark = () => matchMedia('(prefers-color-scheme: dark)').matches;
const inks = () => (dark() ? { ink: '#9ba6b0', grid: '#2d343d' } : { ink: '#59626a', grid: '#e3e7eb' });

/** The colour of the n-th line. */
export function colour(n) {
  const colours = dark() ? DARK : LIGHT;
  return colours[n % colours.length];
}

/** Sums from the first line up, so that each lies on the one before. */
function stacked(lines) {
  const sums = lines[0].values.map(() => 0);
  return lines.map(({ values }) => values.map((value, i) => {
    sums[i] += value ?? 0;
    return value === null ? null : sums[i];
  }));
}

function thresholdLines(plot, steps, dashed) {
  const { ctx, bbox } = plot;
  for (const { value, color } of dashed ? steps : []) {
    if (value === null || value > plot.scales.y.max) continue;
    const y = plot.valToPos(value, 'y', true);
    ctx.strokeStyle = THRESHOLDS[color];
    ctx.setLineDash([6, 4]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.setLineDash([]);
  }
}

/** Where each event began, and a bar above the lines for as long as it lasted; those of a kind share one. */
function eventMarks(plot, events) {
  const { ctx, bbox } = plot;
  const within = (x) => Math.min(Math.max(x, bbox.left), bbox.left + bbox.width);
  const bar = BAR * devicePixelRatio;
  const top = bbox.top - (BARS.length + 1) * bar;
  for (const { from, to, color } of events) {
    const [left, right] = [from, to].map((at) => within(plot.valToPos(at, 'x', true)));
    ctx.fillStyle = EVENTS[color] ?? '#59626a';
    ctx.fillRect(left, top + BARS.indexOf(color) * bar, Math.max(right - left, bar), bar);
    ctx.globalAlpha = 0.4;
    ctx.fillRect(left, bbox.top, 1, bbox.height);
    ctx.globalAlpha = 1;
  }
}

/** A time of the axis, in UTC as everything on the page; the day where the range is longer than one. */
function clock(seconds, range) {
  const text = new Date(seconds * 1000).toISOString();
  if (range > DAY) return `${text.slice(5, 10)} ${text.slice(11, 16)}`;
  return text.slice(11, seconds % 60 === 0 ? 16 : 19);
}

function dots(plot, exemplars) {
  const { ctx, bbox } = plot;
  ctx.fillStyle = dark() ? '#feb03e' : '#c05b16';
  for (const { at, value } of exemplars) {
    const x = plot.valToPos(at, 'x', true);
    const y = clamped(plot.valToPos(value, 'y', true), bbox.top, bbox.top + bbox.height);
    ctx.beginPath();
    ctx.arc(x, y, 2.5 * devicePixelRatio, 0, 2 * Math.PI);
    ctx.fill();
  }
}

/** What a click on the chart means: the dot that it hit. */
function dotAt(plot, exemplars, event) {
  const box = plot.over.getBoundingClientRect();
  const [x, y] = [event.clientX - box.left, event.clientY - box.top];
  const far = ({ at, value }) => Math.hypot(plot.valToPos(at, 'x') - x, clamped(plot.valToPos(value, 'y'), 0, box.height) - y);
  const nearest = exemplars.toSorted((one, other) => far(one) - far(other))[0];
  return nearest && far(nearest) <= NEAR ? nearest : null;
}

/**
 * Draws into `place`, and again whenever its width changes.
 * @param {HTMLElement} place
 * @param {object} panel of the dashboard
 * @param {{lines: {name: string, values: (number|null)[]}[], exemplars: object[], events: object[], times: number[], onDot: (dot: object) => void}} data
 * @returns {{destroy: () => void}}
 */
export function draw(place, panel, data) {
  const { unit, decimals, custom = {}, thresholds } = panel.fieldConfig.defaults;
  const lines = data.lines.slice(0, MAX_LINES);
  const isStacked = custom.stacking?.mode === 'normal';
  const values = isStacked ? stacked(lines) : lines.map((line) => line.values);
  const shown = highest(data.exemplars, data.times[0], data.times.at(-1));
  const { ink, grid } = inks();
  const axis = { stroke: ink, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 }, font: '11px system-ui' };
  const tick = (_, splits) => splits.map((value) => format(value, unit, decimals));
  const series = lines.map((line, n) => ({
    label: line.name, stroke: colour(n), width: 1.25, fill: isStacked ? `${colour(n)}40` : undefined, points: { size: 4 },
  }));
  // The topmost sum first, so that those below stay visible.
  const order = isStacked ? lines.map((_, n) => lines.length - 1 - n) : lines.map((_, n) => n);
  const from = Math.min(0, ...values.flat().filter((value) => value !== null));
  const options = {
    width: place.clientWidth, height: HEIGHT, padding: [(BARS.length + 1) * BAR, null, null, null], legend: { show: false }, cursor: { y: false },
    series: [{}, ...order.map((n) => series[n])],
    scales: { x: { min: data.times[0], max: data.times.at(-1), auto: false }, y: { range: (_, low, high) => [Math.min(from, low ?? 0), (high ?? 1) > 0 ? (high ?? 1) * 1.08 : 1] } },
    axes: [{ ...axis, space: 70, values: (_, splits) => splits.map((at) => clock(at, data.times.at(-1) - data.times[0])) }, { ...axis, size: 74, values: tick }],
    hooks: {
      drawClear: [(plot) => eventMarks(plot, data.events)],
      draw: [(plot) => { thresholdLines(plot, thresholds.steps, custom.thresholdsStyle?.mode === 'dashed'); dots(plot, shown); }],
    },
  };
  const plot = new globalThis.uPlot(options, [data.times, ...order.map((n) => values[n])], place);
  plot.over.addEventListener('click', (event) => {
    const dot = dotAt(plot, shown, event);
    if (dot) data.onDot(dot);
  });
  plot.over.addEventListener('mousemove', (event) => {
    const dot = dotAt(plot, shown, event);
    plot.over.style.cursor = dot ? 'pointer' : '';
    plot.over.title = dot ? `the trace of ${format(dot.value, unit, decimals)}` : '';
  });
  new ResizeObserver(() => {
    if (place.clientWidth > 0) plot.setSize({ width: place.clientWidth, height: HEIGHT });
  }).observe(place);
  return plot;
}
