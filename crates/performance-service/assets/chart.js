// Zoom and a crosshair for the picture of a run, which the server drew. A window is a part of the
// address, so that back, reload and a shared link show the same; without this script the fields
// below the picture do it.
'use strict';

(() => {
  const SVG = 'http://www.w3.org/2000/svg';
  const LEAST_DRAG_PX = 6;
  const FRESH_MS = 5000;
  let at = null; // second under the crosshair
  let anchor = null; // where a selection began
  let points = { step: 0, fetched: 0, list: [] };

  const figure = () => document.querySelector('figure.run-chart');
  const svg = () => figure()?.querySelector('svg.chart');
  const scale = (chart) => {
    const number = (name) => Number(chart.dataset[name]);
    return { left: number('left'), right: number('right'), top: number('top'), bottom: number('bottom'), from: number('from'), to: number('to'), step: number('step') };
  };
  const clock = (seconds) => {
    const two = (value) => String(value).padStart(2, '0');
    const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
    return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${two(minutes)}:${two(rest)}`;
  };
  const number = (value) => value.toLocaleString('en', { maximumSignificantDigits: 3 });

  function secondAt(chart, clientX) {
    const { left, right, from, to } = scale(chart);
    const box = chart.getBoundingClientRect();
    const x = ((clientX - box.left) / box.width) * chart.viewBox.baseVal.width;
    const second = from + ((x - left) / (right - left)) * (to - from);
    return Math.min(to - 1, Math.max(from, Math.floor(second)));
  }

  function shape(chart, kind, id, attributes) {
    let element = chart.querySelector(`.${id}`);
    if (!element) {
      element = document.createElementNS(SVG, kind);
      element.setAttribute('class', id);
      chart.append(element);
    }
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  }

  const selection = () => (anchor === null || at === null ? null : [Math.min(anchor, at), Math.max(anchor, at) + 1]);

  function draw() {
    const chart = svg();
    if (!chart) return;
    const { left, right, top, bottom, from, to } = scale(chart);
    const x = (second) => left + ((right - left) * (second - from)) / (to - from);
    for (const id of ['crosshair', 'selected']) chart.querySelector(`.${id}`)?.remove();
    const chosen = selection();
    if (chosen) shape(chart, 'rect', 'selected', { x: x(chosen[0]), y: top, width: x(chosen[1]) - x(chosen[0]), height: bottom - top });
    if (at !== null && at >= from && at < to) {
      const middle = x(at + 0.5);
      shape(chart, 'line', 'crosshair', { x1: middle, x2: middle, y1: top, y2: bottom });
    }
    const text = describe(chosen);
    const slider = figure().querySelector('[role="slider"]');
    slider.setAttribute('aria-valuemin', from);
    slider.setAttribute('aria-valuemax', Math.max(from, to - 1));
    slider.setAttribute('aria-valuenow', at ?? from);
    slider.setAttribute('aria-valuetext', text);
    slider.textContent = text;
  }

  function describe(chosen) {
    if (at === null) return 'Drag over the picture to look closer; or focus this line and use ← →, Shift to select, Enter to look closer, Z for all, T for the table.';
    const parts = chosen && chosen[1] - chosen[0] > 1 ? [`${clock(chosen[0])}–${clock(chosen[1])} selected`] : [];
    parts.push(`t+${clock(at)}`);
    const point = points.list.findLast((one) => one.t <= at);
    if (!point || at >= point.t + points.step) return [...parts, 'nothing was measured'].join(' · ');
    const add = (value, words) => { if (value !== undefined) parts.push(words(value)); };
    add(point.p50, (value) => `p50 ${number(value)} ms`);
    add(point.p95, (value) => `p95 ${number(value)} ms`);
    add(point.p99, (value) => `p99 ${number(value)} ms`);
    parts.push(`${number(point.requestsPerSecond)} requests/s, n = ${point.requests}`);
    add(point.errorRate, (value) => `failed ${number(value * 100)} %`);
    add(point.virtualUsers, (value) => `${value} users`);
    add(point.ttftP95, (value) => `first token p95 ${number(value)} ms`);
    add(point.outputTokensPerSecond, (value) => `${number(value)} tokens/s out`);
    return parts.join(' · ');
  }

  async function move(second) {
    const chart = svg();
    if (!chart) return;
    const { from, to, step } = scale(chart);
    at = Math.min(to - 1, Math.max(from, second));
    draw();
    if (points.step === step && Date.now() - points.fetched < FRESH_MS) return;
    points = { step, fetched: Date.now(), list: points.step === step ? points.list : [] };
    const id = location.pathname.split('/').pop();
    const reply = await fetch(`/api/v1/performancetest/${id}/timeline?step=${step}`);
    if (!reply.ok) return;
    points.list = await reply.json();
    draw();
  }

  function zoom(window) {
    const address = new URL(location.href);
    address.search = window ? new URLSearchParams({ from: window[0], to: window[1] }) : '';
    if (address.href !== location.href) location.assign(address);
  }

  function prepare() {
    const place = figure();
    if (!place || place.querySelector('[role="slider"]')) return;
    const line = document.createElement('div');
    line.className = 'readout';
    for (const [name, value] of Object.entries({ role: 'slider', tabindex: '0', 'aria-label': 'Time in the run' })) line.setAttribute(name, value);
    place.prepend(line);
    draw();
  }

  const keys = {
    ArrowLeft: () => move((at ?? 0) - (scale(svg()).step || 1)),
    ArrowRight: () => move(at === null ? scale(svg()).from : at + (scale(svg()).step || 1)),
    Home: () => move(0),
    End: () => move(Number.MAX_SAFE_INTEGER),
    Enter: () => { const chosen = selection(); if (chosen && chosen[1] - chosen[0] > 1) zoom(chosen); },
    Escape: () => { anchor = null; draw(); },
    KeyZ: () => zoom(null),
    KeyT: () => figure().parentElement.querySelector('details')?.toggleAttribute('open'),
  };
  document.addEventListener('keydown', (event) => {
    if (!event.target.matches?.('.readout') || event.ctrlKey || event.metaKey || event.altKey || !keys[event.code]) return;
    event.preventDefault();
    const arrows = event.code.startsWith('Arrow') || event.code === 'Home' || event.code === 'End';
    if (arrows) anchor = event.shiftKey ? anchor ?? at ?? scale(svg()).from : null;
    Promise.resolve(keys[event.code]()).catch(() => {});
  });

  let pressed = null;
  const inChart = (event) => event.target.closest?.('figure.run-chart svg.chart');
  document.addEventListener('pointerdown', (event) => {
    const chart = event.button === 0 && event.pointerType === 'mouse' && inChart(event);
    if (!chart) return;
    event.preventDefault();
    pressed = event.clientX;
    anchor = secondAt(chart, event.clientX);
  });
  document.addEventListener('pointermove', (event) => {
    const chart = pressed === null ? inChart(event) : svg();
    if (chart) move(secondAt(chart, event.clientX)).catch(() => {});
  });
  document.addEventListener('pointerup', (event) => {
    if (pressed === null) return;
    const chosen = Math.abs(event.clientX - pressed) >= LEAST_DRAG_PX ? selection() : null;
    pressed = null;
    if (chosen && chosen[1] - chosen[0] > 1) return zoom(chosen);
    anchor = null;
    draw();
  });
  document.addEventListener('dblclick', (event) => { if (inChart(event)) zoom(null); });
  // A live page gets its picture anew every few seconds.
  document.addEventListener('figures', prepare);
  prepare();
})();
