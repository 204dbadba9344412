"use strict";
// The live page of a training: its WebSocket and its log. Loaded on that page only.

// Reconnect within seconds of a restart: the default back-off can wait nine.
htmx.config.wsReconnectDelay = (tries) => Math.min(4000, 250 * 2 ** tries) * (0.5 + Math.random() / 2);

// The log follows its newest line unless the reader has scrolled up.
const followLog = (log) => {
  let atEnd = true;
  const scrollToEnd = () => { log.scrollTop = log.scrollHeight; };
  log.addEventListener("scroll", () => { atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 24; });
  new MutationObserver(() => { if (atEnd) scrollToEnd(); }).observe(log, { childList: true });
  scrollToEnd();
};
document.addEventListener("htmx:load", (event) => {
  const root = event.detail.elt;
  const log = root.matches?.(".log") ? root : root.querySelector?.(".log");
  if (log) followLog(log);
});

// While the socket is down the page says so and polls, until the socket is back or the run has ended.
const POLL_MS = 3000;
const CLOSE_ENDED = 1000;
const CLOSE_SIGNED_OUT = 4401;
const END_STATES = ["done", "failed", "cancelled"];
let polling = 0;

const stopPolling = () => {
  clearInterval(polling);
  polling = 0;
  document.getElementById("link")?.setAttribute("hidden", "");
};
const poll = () => {
  const state = document.getElementById("progress")?.dataset.state;
  if (END_STATES.includes(state)) stopPolling();
  else htmx.trigger("#link", "ask");
};
document.addEventListener("htmx:wsOpen", stopPolling);
document.addEventListener("htmx:wsClose", (event) => {
  const code = event.detail.event?.code;
  const link = document.getElementById("link");
  if (code === CLOSE_SIGNED_OUT) location.reload();
  if (!link || code === CLOSE_ENDED || polling) return;
  link.removeAttribute("hidden");
  polling = setInterval(poll, POLL_MS);
});
