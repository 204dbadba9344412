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

// While the socket is down a banner says since when, and the page polls until the socket is back or the run has
// ended. While the polls fail too, the buttons of the page are dimmed: they would only fail.
const POLL_MS = 3000;
const TICK_MS = 1000;
const SLOW_SECONDS = 120; // from here on in minutes
const CLOSE_ENDED = 1000;
const CLOSE_SIGNED_OUT = 4401;
const END_STATES = ["done", "failed", "cancelled"];
let timers = [];
let seenAt = Date.now();
let isReachable = true;

const dimButtons = () => {
  const isLost = timers.length > 0 && !isReachable;
  const actions = document.getElementById("actions");
  if (actions) actions.inert = isLost;
  document.querySelector(".live")?.classList.toggle("lost", isLost);
};
const tellAge = () => {
  const place = document.getElementById("seen");
  const age = Math.round((Date.now() - seenAt) / 1000);
  const [word, count] = age < SLOW_SECONDS ? ["seconds", age] : ["minutes", Math.round(age / 60)];
  if (place) place.textContent = place.dataset[word].replace("{n}", count);
};
const reach = (reached) => {
  isReachable = reached;
  if (reached) seenAt = Date.now();
  dimButtons();
  tellAge();
};

const stopPolling = () => {
  timers.forEach(clearInterval);
  timers = [];
  document.getElementById("link")?.setAttribute("hidden", "");
  reach(true);
};
const poll = () => {
  const state = document.getElementById("progress")?.dataset.state;
  if (END_STATES.includes(state)) stopPolling();
  else htmx.trigger("#link", "ask");
};
const startPolling = () => {
  timers = [setInterval(poll, POLL_MS), setInterval(tellAge, TICK_MS)];
  document.getElementById("link").removeAttribute("hidden");
  reach(false);
};

document.addEventListener("htmx:wsOpen", stopPolling);
document.addEventListener("htmx:wsAfterMessage", () => { seenAt = Date.now(); });
document.addEventListener("htmx:wsClose", (event) => {
  const code = event.detail.event?.code;
  if (code === CLOSE_SIGNED_OUT) location.reload();
  if (code !== CLOSE_ENDED && !timers.length && document.getElementById("link")) startPolling();
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.elt.id === "link") reach(event.detail.successful);
});
document.addEventListener("htmx:afterSettle", dimButtons); // a poll has brought new ones
