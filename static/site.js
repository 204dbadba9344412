"use strict";
// Small habits of every page; texts come from the page, never from here.

// Reconnect within seconds of a restart: the default back-off can wait nine.
htmx.config.wsReconnectDelay = (tries) => Math.min(4000, 250 * 2 ** tries) * (0.5 + Math.random() / 2);

// A second click on a sent form would only repeat it (the server also guards with a one-time token).
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || form.hasAttribute("hx-post")) return;
  const button = event.submitter;
  if (button) setTimeout(() => { button.disabled = true; }, 0);
});

// Coming back with the browser's Back button must not find the button still off.
window.addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("form button[disabled]")) button.disabled = false;
});

// The log follows its newest line unless the reader has scrolled up.
const follow = (log) => {
  let atEnd = true;
  log.addEventListener("scroll", () => { atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 24; });
  new MutationObserver(() => { if (atEnd) log.scrollTop = log.scrollHeight; }).observe(log, { childList: true });
  log.scrollTop = log.scrollHeight;
};
document.addEventListener("htmx:load", (event) => {
  const root = event.detail.elt;
  const log = root.matches?.(".log") ? root : root.querySelector?.(".log");
  if (log) follow(log);
});

// Buttons that only JavaScript can serve show up with it.
document.addEventListener("htmx:load", (event) => {
  for (const button of event.detail.elt.querySelectorAll?.(".needs-js[hidden]") || []) button.hidden = false;
});
document.addEventListener("click", (event) => {
  if (event.target.closest?.("[data-print]")) window.print();
});
