"use strict";
// Small habits of every page; texts come from the page, never from here.

// Reconnect within seconds of a restart: the default back-off can wait nine.
htmx.config.wsReconnectDelay = (tries) => Math.min(4000, 250 * 2 ** tries) * (0.5 + Math.random() / 2);

// What takes longer than a moment says so: a request of htmx, or a form on its way to the next page.
const MOMENT = 300;
const busy = (() => {
  let open = 0, timer = 0;
  const show = (on) => {
    const sign = document.getElementById("busy");
    if (sign) sign.textContent = on ? sign.dataset.word : "";
  };
  return {
    begin: () => { if (open++ === 0) timer = setTimeout(show, MOMENT, true); },
    end: () => { open = Math.max(0, open - 1); if (!open) { clearTimeout(timer); show(false); } },
    reset: () => { open = 0; clearTimeout(timer); show(false); },
  };
})();
const asked = (event) => event.detail.requestConfig?.triggeringEvent?.type; // polls and loads have none of a hand
const HANDS = ["submit", "click", "change", "input", "search"];
document.addEventListener("htmx:beforeSend", (event) => { if (HANDS.includes(asked(event))) busy.begin(); });
document.addEventListener("htmx:afterRequest", (event) => { if (HANDS.includes(asked(event))) busy.end(); });
window.addEventListener("pageshow", () => busy.reset());

// A second click on a sent form would only repeat it (the server also guards with a one-time token).
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || form.hasAttribute("hx-post")) return;
  busy.begin();
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

// Who was signed out meanwhile is led to the sign-in page, not shown it inside of a fragment.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (!event.detail.xhr.responseURL.includes("/login/")) return;
  event.detail.shouldSwap = false;
  if (event.detail.elt.id !== "news") location.reload();
});

// A refusal brings one sentence for the messages of the page.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr } = event.detail;
  if (xhr.status === 403 && xhr.getResponseHeader("HX-Retarget")) event.detail.shouldSwap = true;
});

// News of ended trainings belongs on the page one looks at, not on a hidden one.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.elt.id === "news" && document.hidden) event.preventDefault();
});

// A live page whose socket is down says so and asks every few seconds, until the socket is back or the run ended.
const ASK = 3000, ENDED = 1000, SIGNED_OUT = 4401;
let asking = 0;
const live = () => {
  clearInterval(asking);
  asking = 0;
  document.getElementById("link")?.setAttribute("hidden", "");
};
const ask = () => {
  const ended = ["done", "failed", "cancelled"].includes(document.getElementById("progress")?.dataset.state);
  if (ended) live(); else htmx.trigger("#link", "ask");
};
document.addEventListener("htmx:wsOpen", live);
document.addEventListener("htmx:wsClose", (event) => {
  const link = document.getElementById("link"), code = event.detail.event?.code;
  if (code === SIGNED_OUT) location.reload();
  if (!link || code === ENDED || asking) return;
  link.removeAttribute("hidden");
  asking = setInterval(ask, ASK);
});

// Buttons that only JavaScript can serve show up with it.
document.addEventListener("htmx:load", (event) => {
  for (const button of event.detail.elt.querySelectorAll?.(".needs-js[hidden]") || []) button.hidden = false;
});
document.addEventListener("click", (event) => {
  if (event.target.closest?.("[data-print]")) window.print();
});
