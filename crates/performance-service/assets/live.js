// Follows a run: one stream, opened at the event that the page was rendered with, so that
// nothing is missed and nothing comes twice. The server draws the picture; it is fetched anew
// every few seconds. Without this script the page is complete, as of its loading.
'use strict';

(() => {
  const line = document.getElementById('live');
  const again = document.getElementById('again');
  const age = document.getElementById('age');
  const pause = document.getElementById('pause');
  const REDRAW_MS = 5000;
  const STALE_AFTER_MS = 3000;
  const OFFLINE_AFTER_MS = 60000;
  const LONGEST_WAIT_MS = 30000;
  // A hidden page gives its stream back: six open ones keep a seventh page from loading.
  const HIDDEN_AFTER_MS = 2000;
  const HIDDEN_LOOK_MS = 15000;
  // Streams of one browser; a further page asks instead.
  const SLOTS = [1, 2, 3, 4];
  const SLOTLESS_LOOK_MS = 2000;
  const run = `/api/v1/performancetest/${line.dataset.test}`;
  const name = document.title;
  let last = Number(line.dataset.after);
  let lastData = 0;
  let message = '';
  let wait = 1000;
  let over = false;
  let paused = false;
  let stream = null;
  let release = null;
  let asks = false;
  let retry = 0;

  // Numbers as the server writes them: three significant digits, whole ones without decimals.
  const number = (value) => {
    const size = Math.abs(value);
    const decimals = Number.isInteger(value) || size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
    return value.toLocaleString('en', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  };
  const share = (value) => {
    if (value <= 0) return '0 %';
    if (value >= 1) return '100 %';
    if (value < 0.0001) return '< 0.01 %';
    if (value > 0.9999) return '> 99.99 %';
    return `${(value * 100).toFixed(2)} %`;
  };
  const show = (key, text) => {
    const place = document.querySelector(`[data-live="${key}"]`);
    if (place && !paused) place.textContent = text;
  };

  function showSecond(point) {
    const milliseconds = (value) => (value === undefined ? '–' : `${number(value)} ms`);
    const checks = point.checksPassed + point.checksFailed;
    show('p50', milliseconds(point.p50));
    show('p95', milliseconds(point.p95));
    show('p99', milliseconds(point.p99));
    show('errors', point.errorRate === undefined ? '–' : share(point.errorRate));
    show('rate', number(point.requestsPerSecond));
    show('checks', checks === 0 ? '–' : `${number(point.checksPassed)} of ${number(checks)}`);
    show('ttft', milliseconds(point.ttftP95));
    document.title = `p95 ${milliseconds(point.p95)} · ${name}`;
    if (point.cost !== undefined) show('cost', point.cost.text);
    lastData = Date.now();
  }

  const parse = (html) => new DOMParser().parseFromString(html, 'text/html');

  async function fetchPage() {
    const reply = await fetch(location.href, { cache: 'no-store' });
    return reply.ok ? parse(await reply.text()) : null;
  }

  async function redraw() {
    if (over || paused || document.hidden) return;
    const fresh = (await fetchPage())?.getElementById('figures');
    const figures = document.getElementById('figures');
    const focused = figures.contains(document.activeElement) ? document.activeElement : null;
    if (!fresh || paused || focused?.matches('input, button')) return;
    const open = [...figures.querySelectorAll('details')].map((details) => details.open);
    fresh.querySelectorAll('details').forEach((details, index) => { details.open = open[index]; });
    figures.replaceWith(fresh);
    document.dispatchEvent(new Event('figures'));
    if (focused?.matches('.readout')) document.querySelector('.readout')?.focus();
  }

  // The page becomes that of a finished run, in place.
  async function finish() {
    if (over) return;
    over = true;
    close();
    const fresh = await fetchPage().catch(() => null);
    if (!fresh) return location.reload();
    document.title = fresh.title;
    const focused = document.activeElement?.id;
    document.querySelector('main').replaceWith(fresh.querySelector('main'));
    document.dispatchEvent(new Event('figures'));
    if (focused) document.getElementById(focused)?.focus();
  }

  // By the clock of the service: that of the browser may be another one.
  function since(began, reply) {
    const seconds = Math.max(0, Math.round((Date.parse(reply.headers.get('date')) - Date.parse(began)) / 1000));
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  }

  async function look() {
    const reply = await fetch(run, { cache: 'no-store' }).catch(() => null);
    if (!reply?.ok) return;
    const { status, startedAt, completedAt, verdict } = await reply.json();
    if (completedAt) document.title = `${verdict?.level ?? status} · ${name}`;
    else if (document.hidden) document.title = `${status.toLowerCase()} ${since(startedAt, reply)} · ${name}`;
    if (completedAt && !document.hidden) await finish();
  }

  function close() {
    clearTimeout(retry);
    stream?.close();
    stream = null;
    release?.();
    release = null;
  }

  // One of the slots until it is released; without locks there is one for everybody.
  function slot() {
    if (!navigator.locks) return Promise.resolve(() => {});
    const request = (number) => new Promise((resolve) => {
      navigator.locks.request(`stream-${number}`, { ifAvailable: true }, (lock) => {
        if (!lock) return resolve(null);
        return new Promise((free) => { resolve(free); });
      });
    });
    return SLOTS.reduce(async (found, number) => (await found) ?? request(number), Promise.resolve(null));
  }

  async function open() {
    close();
    const free = await slot();
    asks = !free;
    if (!free) return;
    if (over || document.hidden || stream) return free();
    release = free;
    stream = new EventSource(`/performance-hub?test=${line.dataset.test}&after=${last}`);
    const own = stream;
    const on = (kind, act) => own.addEventListener(kind, (event) => {
      if (event.lastEventId && Number(event.lastEventId) <= last) return;
      last = Number(event.lastEventId) || last;
      wait = 1000;
      act(JSON.parse(event.data));
    });
    on('second', showSecond);
    on('backfill', (backfill) => { if (backfill.points.length > 0) showSecond(backfill.points.at(-1)); });
    on('TestStatusUpdate', (update) => {
      message = `${update.status}: ${update.message}`;
      show('state', update.message);
    });
    // The picture has a band for it.
    on('fault', () => { redraw().catch(() => {}); });
    for (const kind of ['TestStarted', 'TestCompleted', 'TestFailed']) on(kind, () => {});
    on('end', finish);
    // The browser resumes a cut stream by itself, but an HTTP error closes it for good.
    own.addEventListener('error', () => {
      if (over || own !== stream || own.readyState !== EventSource.CLOSED) return;
      look();
      retry = setTimeout(open, wait);
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    });
  }

  // The words of the state are told to everybody; the seconds tick beside them in silence.
  function tell() {
    if (over) return;
    const old = Date.now() - lastData;
    const seconds = Math.round(old / 1000);
    const clock = `${new Date(lastData).toISOString().slice(11, 19)} UTC`;
    const late = lastData > 0 && old > STALE_AFTER_MS && !asks;
    let words = message || 'Waits for the first second of load';
    if (lastData > 0) words = 'LIVE';
    if (asks) words = 'Looks every 2 s: other windows have the streams';
    if (late) words = old > OFFLINE_AFTER_MS ? 'Offline; the run goes on' : 'Reconnecting; the run goes on';
    if (line.textContent !== words) line.textContent = words;
    again.hidden = !late;
    document.querySelector('.tiles')?.classList.toggle('old', late);
    let text = '';
    if (late) text = `last data ${clock}, ${seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`} ago`;
    else if (lastData > 0 && !asks) text = `data ${(old / 1000).toFixed(1)} s old`;
    age.textContent = paused ? `${text}; the view is paused` : text;
  }

  let leaving = 0;
  document.addEventListener('visibilitychange', () => {
    clearTimeout(leaving);
    if (over) return;
    if (document.hidden) leaving = setTimeout(close, HIDDEN_AFTER_MS);
    else if (!stream) open().then(look).then(redraw).catch(() => {});
  });
  again.addEventListener('click', () => { wait = 1000; open(); });
  pause.hidden = false;
  pause.addEventListener('click', () => {
    paused = !paused;
    pause.textContent = paused ? 'Go on' : 'Pause view';
    if (!paused) redraw().catch(() => {});
  });
  setInterval(() => { redraw().catch(() => {}); }, REDRAW_MS);
  setInterval(() => { if (document.hidden && !over) look(); }, HIDDEN_LOOK_MS);
  setInterval(() => {
    if (!asks || over || document.hidden) return;
    open().then(() => asks && Promise.all([look(), redraw()])).catch(() => {});
  }, SLOTLESS_LOOK_MS);
  setInterval(tell, 500);
  open();
})();
