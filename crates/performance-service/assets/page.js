// What scripts add to every page: single keys, unless somebody turned them off, the address for
// others, and the address on paper, which only the browser knows.
'use strict';

(() => {
  // How long g waits for the second key.
  const SECOND_KEY_MS = 1500;
  const PLACES = { h: '/', n: '/new', t: '/#tests', s: '/spend' };
  const FIND = 'form.filters [name="test"]';
  let awaited = 0;

  const go = (address) => location.assign(address);
  const click = (key) => document.querySelector(`[data-key="${key}"]`)?.click();
  const acts = {
    '?': () => document.getElementById('keys').showModal(),
    '/': () => {
      const field = document.querySelector(FIND);
      if (field) field.focus();
      else go('/runs#find');
    },
    '[': () => click('['),
    ']': () => click(']'),
    c: () => click('c'),
    g: () => { awaited = Date.now(); },
  };

  function press(event) {
    // On some keyboards brackets and the slash are typed with AltGr, which Windows calls Ctrl and Alt.
    const modified = (event.ctrlKey || event.altKey) && !event.getModifierState('AltGraph');
    const types = event.target.matches?.('input, select, textarea, dialog[open] *');
    if (event.defaultPrevented || event.repeat || event.metaKey || modified || types) return;
    const place = Date.now() - awaited < SECOND_KEY_MS ? PLACES[event.key] : undefined;
    awaited = 0;
    const act = place ? () => go(place) : acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  if (!document.cookie.split('; ').includes('performance-shortcuts=off')) {
    document.addEventListener('keydown', press);
    if (location.hash === '#find') document.querySelector(FIND)?.focus();
  }

  // The address has the ids and the window of what is seen, never "the latest". Pages that become
  // others in place get their button late.
  if (navigator.clipboard) {
    document.documentElement.dataset.clipboard = '';
    document.addEventListener('click', async ({ target }) => {
      if (!target.matches?.('[data-share]')) return;
      await navigator.clipboard.writeText(location.href);
      target.textContent = 'Address copied';
    });
  }

  addEventListener('beforeprint', () => {
    document.querySelector('footer .printed').textContent = `${location.href}, printed ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  });
})();
