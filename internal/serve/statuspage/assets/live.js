// Keeps the overview up to date: asks for it again when the program says that
// something has changed, and replaces the parts that are different.
"use strict";
(() => {
  const root = document.currentScript.dataset.root ?? "";
  const shown = new Map();
  const parts = (root) => root.querySelectorAll("[data-live]");
  for (const part of parts(document)) shown.set(part.id, part.outerHTML);

  const replace = (fresh) => {
    const html = fresh.outerHTML;
    if (shown.get(fresh.id) === html) return;
    shown.set(fresh.id, html);
    const old = document.getElementById(fresh.id);
    if (!old) return;
    const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
    for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
    for (const { name, value } of fresh.attributes) old.setAttribute(name, value);
    old.replaceChildren(...fresh.childNodes);
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  };

  let asking = false, again = false, tag = "";
  const update = async () => {
    if (asking) { again = true; return; }
    asking = true;
    try {
      const answer = await fetch(root + "/live" + location.search, { headers: { Accept: "text/html", ...(tag && { "If-None-Match": tag }) } });
      if (answer.ok) {
        tag = answer.headers.get("ETag") ?? "";
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
        const title = fresh.getElementById("summary")?.textContent; // before its nodes move into the page
        parts(fresh).forEach(replace);
        if (title) document.title = `${title} · tvmexport`;
      }
    } catch { /* the program is away; the event source says so below */ }
    asking = false;
    if (again) { again = false; update(); }
  };

  const events = new EventSource(root + "/events");
  events.addEventListener("changed", () => { document.body.classList.remove("stale"); update(); });
  events.addEventListener("error", () => document.body.classList.add("stale"));
})();
