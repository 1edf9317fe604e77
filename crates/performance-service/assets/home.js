// Keeps what runs up to date while the page is looked at; nothing else of it moves.
'use strict';

(() => {
  const EVERY_MS = 5000;
  let asked = false;

  // Whoever is at a button there keeps it.
  const isFree = (now) => !document.hidden && !now.contains(document.activeElement);

  async function refresh() {
    const now = document.getElementById('now');
    if (asked || !isFree(now)) return;
    asked = true;
    try {
      const reply = await fetch('/?part=now', { headers: { accept: 'text/html' } });
      if (!reply.ok || reply.redirected) return;
      const fresh = new DOMParser().parseFromString(await reply.text(), 'text/html').getElementById('now');
      if (fresh && isFree(now) && fresh.innerHTML !== now.innerHTML) now.replaceChildren(...fresh.childNodes);
    } finally {
      asked = false;
    }
  }

  setInterval(() => { refresh().catch(() => {}); }, EVERY_MS);
})();
