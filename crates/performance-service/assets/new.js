// Forecasts what stands in the form a moment after the last key. Inputs are never touched, so that
// they keep what was typed, and the focus; without this script a button does it.
'use strict';

(() => {
  const QUIET_MS = 300;
  const form = document.querySelector('form.sheet');
  const button = form.querySelector('button[value="forecast"]');
  let timer = 0;
  let asked = new AbortController();
  if (!button) return;
  button.hidden = true;

  // What is wrong with an input stands at it.
  function mark(input, fresh) {
    const id = `${input.id}-hint`;
    const [old, hint] = [document.getElementById(id), fresh.getElementById(id)];
    if (old && hint) old.replaceWith(hint);
    else if (hint) input.parentElement.append(hint);
    else old?.remove();
    for (const name of ['aria-invalid', 'aria-describedby']) {
      const value = fresh.getElementById(input.id)?.getAttribute(name);
      if (value) input.setAttribute(name, value);
      else input.removeAttribute(name);
    }
  }

  // The copies stay open where somebody opened them, and get a button each.
  function copy(fresh) {
    const section = document.getElementById('copies');
    if (fresh) {
      const open = [...section.querySelectorAll('details')].map((one) => one.open);
      section.replaceChildren(...fresh.getElementById('copies').childNodes);
      section.querySelectorAll('details').forEach((one, index) => { one.open = open[index] ?? false; });
    }
    for (const details of section.querySelectorAll('details')) {
      const copied = document.createElement('button');
      copied.type = 'button';
      copied.textContent = 'Copy';
      copied.addEventListener('click', async () => {
        await navigator.clipboard.writeText(details.querySelector('pre').textContent);
        copied.textContent = 'Copied';
      });
      details.append(copied);
    }
  }
  if (navigator.clipboard) copy();

  async function refresh() {
    asked.abort();
    asked = new AbortController();
    const fields = new URLSearchParams(new FormData(form));
    for (const [name, value] of [...fields]) if (value === '') fields.delete(name);
    fields.set('do', 'forecast');
    const reply = await fetch(`/new?${fields}`, { signal: asked.signal, headers: { accept: 'text/html' } });
    if (!reply.ok) return;
    const fresh = new DOMParser().parseFromString(await reply.text(), 'text/html');
    if (navigator.clipboard) copy(fresh);
    for (const id of ['forecast', 'start']) document.getElementById(id).replaceChildren(...fresh.getElementById(id).childNodes);
    for (const input of form.querySelectorAll('.field [id][name]')) mark(input, fresh);
  }

  form.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(() => { refresh().catch(() => {}); }, QUIET_MS);
  });
})();
