// Keeps the numbers fresh. Everything that switches something works without this file.
const main = document.querySelector("main[data-events]");
let source;

function show(fragments) {
  for (const [id, html] of Object.entries(fragments)) {
    const part = document.getElementById(id);
    if (!part || part.fresh === html || part.contains(document.activeElement)) continue;
    const open = new Map([...part.querySelectorAll("details")].map((d, i) => [d.dataset.key ?? i, d.open]));
    const scrolled = [...part.querySelectorAll("ul")].map((list) => list.scrollTop);
    part.innerHTML = part.fresh = html;
    part.querySelectorAll("details").forEach((d, i) => { d.open = open.get(d.dataset.key ?? i) ?? d.open; });
    part.querySelectorAll("ul").forEach((list, i) => { list.scrollTop = scrolled[i] ?? 0; });
  }
}

function listen() {
  source?.close();
  if (document.hidden) return;
  source = new EventSource(main.dataset.events);
  source.onmessage = (event) => show(JSON.parse(event.data));
}

if (main) {
  document.addEventListener("visibilitychange", listen);
  listen();
}
