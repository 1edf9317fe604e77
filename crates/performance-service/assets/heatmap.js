// A box that is drawn over the map of requests becomes a part of the address, and the server says
// what is in it; without this script the fields below the map do it.
'use strict';

(() => {
  const SVG = 'http://www.w3.org/2000/svg';
  const LEAST_DRAG_PX = 6;
  let begin = null;

  const mapOf = (event) => event.target.closest?.('figure.heatmap svg.chart');

  // A place on the map: seconds of the run and milliseconds.
  function place(map, event) {
    const number = (name) => Number(map.dataset[name]);
    const [left, right, top, bottom, from, to] = ['left', 'right', 'top', 'bottom', 'from', 'to'].map(number);
    const frame = map.getBoundingClientRect();
    const scale = map.viewBox.baseVal.width / frame.width;
    const within = (share) => Math.min(1, Math.max(0, share));
    const across = within(((event.clientX - frame.left) * scale - left) / (right - left));
    const up = within((bottom - (event.clientY - frame.top) * scale) / (bottom - top));
    const [low, high] = [number('low'), number('high')];
    return { x: left + across * (right - left), y: bottom - up * (bottom - top), second: from + across * (to - from), took: low * (high / low) ** up };
  }

  function draw(map, one, other) {
    let box = map.querySelector('.box');
    if (!box) {
      box = document.createElementNS(SVG, 'rect');
      box.setAttribute('class', 'box');
      map.append(box);
    }
    const sides = { x: Math.min(one.x, other.x), y: Math.min(one.y, other.y), width: Math.abs(one.x - other.x), height: Math.abs(one.y - other.y) };
    for (const [name, value] of Object.entries(sides)) box.setAttribute(name, value);
  }

  document.addEventListener('pointerdown', (event) => {
    const map = event.button === 0 && event.pointerType === 'mouse' && mapOf(event);
    if (!map) return;
    event.preventDefault();
    begin = { map, x: event.clientX, y: event.clientY, at: place(map, event) };
  });
  document.addEventListener('pointermove', (event) => {
    if (begin) draw(begin.map, begin.at, place(begin.map, event));
  });
  document.addEventListener('pointerup', (event) => {
    if (!begin) return;
    const { map, x, y, at } = begin;
    begin = null;
    if (Math.hypot(event.clientX - x, event.clientY - y) < LEAST_DRAG_PX) return;
    const end = place(map, event);
    const ordered = (one, other) => (one < other ? [one, other] : [other, one]);
    const [from, to] = ordered(at.second, end.second);
    const [above, below] = ordered(at.took, end.took);
    const address = new URL(location.href);
    const chosen = { box_from: Math.floor(from), box_to: Math.max(Math.ceil(to), Math.floor(from) + 1), above: Number(above.toPrecision(4)), below: Number(below.toPrecision(4)) };
    for (const [name, value] of Object.entries(chosen)) address.searchParams.set(name, value);
    address.hash = 'requests';
    location.assign(address);
  });
})();
