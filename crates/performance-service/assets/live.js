// Follows a run: one stream, opened at the event that the page was rendered with, so that
// nothing is missed and nothing comes twice. The server draws the picture; it is fetched anew
// every few seconds. Without this script the page is complete, as of its loading.
'use strict';

(() => {
  const line = document.getElementById('live');
  const CHART_EVERY_MS = 5000;
  const STALE_AFTER_MS = 3000;
  const LONGEST_WAIT_MS = 30000;
  let last = Number(line.dataset.after);
  let lastData = 0;
  let status = 'Live: the numbers are those of the last second.';
  let wait = 1000;
  let over = false;

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
    if (place) place.textContent = text;
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
    lastData = Date.now();
  }

  async function redraw() {
    if (over || document.hidden) return;
    const reply = await fetch(location.pathname, { cache: 'no-store' });
    if (!reply.ok) return;
    const fresh = new DOMParser().parseFromString(await reply.text(), 'text/html').getElementById('chart');
    const chart = document.getElementById('chart');
    const wasOpen = chart.querySelector('details')?.open;
    if (!fresh || chart.contains(document.activeElement)) return;
    if (wasOpen) fresh.querySelector('details')?.setAttribute('open', '');
    chart.replaceWith(fresh);
  }

  function open() {
    const stream = new EventSource(`/performance-hub?test=${line.dataset.test}&after=${last}`);
    const on = (name, act) => stream.addEventListener(name, (event) => {
      if (event.lastEventId && Number(event.lastEventId) <= last) return;
      last = Number(event.lastEventId) || last;
      wait = 1000;
      act(JSON.parse(event.data));
    });
    on('second', showSecond);
    on('backfill', ({ points }) => { if (points.length > 0) showSecond(points[points.length - 1]); });
    on('TestStatusUpdate', (update) => {
      status = `${update.status}: ${update.message}`;
      line.textContent = status;
      show('state', update.message);
    });
    on('TestStarted', () => {});
    on('TestCompleted', () => {});
    on('TestFailed', () => {});
    on('end', () => {
      over = true;
      stream.close();
      location.reload();
    });
    // The browser resumes a cut stream by itself, but an HTTP error closes it for good.
    stream.addEventListener('error', () => {
      if (over || stream.readyState !== EventSource.CLOSED) return;
      setTimeout(open, wait);
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    });
  }

  setInterval(() => { redraw().catch(() => {}); }, CHART_EVERY_MS);
  // Before the first second there is nothing that could be late.
  setInterval(() => {
    const age = Date.now() - lastData;
    const late = lastData > 0 && age > STALE_AFTER_MS;
    const text = late ? `Last data ${Math.round(age / 1000)} s ago; the run goes on` : status;
    if (!over && line.textContent !== text) line.textContent = text;
  }, 1000);
  open();
})();
