"use strict";
// Small habits of every page; the words come from the page, never from here.

// Whatever takes longer than a moment shows it: a request of htmx, or a form on its way to the next page.
const MOMENT_MS = 300;
const busy = (() => {
  let open = 0;
  let timer = 0;
  const show = (on) => {
    const sign = document.getElementById("busy");
    if (sign) sign.textContent = on ? sign.dataset.word : "";
  };
  const stop = () => { clearTimeout(timer); show(false); };
  return {
    begin: () => { if (open++ === 0) timer = setTimeout(show, MOMENT_MS, true); },
    end: () => { open = Math.max(0, open - 1); if (!open) stop(); },
    reset: () => { open = 0; stop(); },
  };
})();
const USER_EVENTS = ["submit", "click", "change", "input", "search"]; // not the polls and first loads
const isFromUser = (event) => USER_EVENTS.includes(event.detail.requestConfig?.triggeringEvent?.type);
document.addEventListener("htmx:beforeSend", (event) => { if (isFromUser(event)) busy.begin(); });
document.addEventListener("htmx:afterRequest", (event) => { if (isFromUser(event)) busy.end(); });

// A second click on a sent form would only repeat it (the server also guards with a one-time token).
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post" || form.hasAttribute("hx-post")) return;
  busy.begin();
  const button = event.submitter;
  if (button) setTimeout(() => { button.disabled = true; }, 0);
});

// Coming back with the browser's Back button must find the buttons enabled again.
window.addEventListener("pageshow", () => {
  busy.reset();
  for (const button of document.querySelectorAll("form button[disabled]")) button.disabled = false;
});

// Someone signed out meanwhile is led to the sign-in page instead of seeing it inside a fragment.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (!event.detail.xhr.responseURL.includes("/login/")) return;
  event.detail.shouldSwap = false;
  if (event.detail.elt.id !== "news") location.reload();
});

// A refused request answers with one sentence for the messages of the page.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr } = event.detail;
  if (xhr.status === 403 && xhr.getResponseHeader("HX-Retarget")) event.detail.shouldSwap = true;
});

// Any other request of the person that fails says why in one red line: the sentence of the answer, or that none
// came. Polls that fail stay silent.
const clearRefusal = () => document.getElementById("refusal")?.remove();
const showRefusal = (title, sentence) => {
  clearRefusal();
  const line = document.createElement("p");
  line.id = "refusal";
  line.className = "note error";
  line.setAttribute("role", "alert");
  const strong = document.createElement("strong");
  strong.textContent = title;
  line.append(...(title ? [strong, " "] : []), sentence);
  document.getElementById("messages").append(line);
  line.scrollIntoView({ block: "nearest" });
};
const readRefusal = (xhr) => {
  const page = new DOMParser().parseFromString(xhr.responseText, "text/html");
  const card = page.querySelector("main .card") || page.body;
  const words = (selector) => card.querySelector(selector)?.textContent.trim().replace(/\s+/g, " ") || "";
  return [words("h1"), words("p")];
};
document.addEventListener("htmx:beforeRequest", (event) => { if (isFromUser(event)) clearRefusal(); });
document.addEventListener("htmx:responseError", (event) => {
  const { xhr } = event.detail;
  if (!isFromUser(event) || xhr.getResponseHeader("HX-Retarget")) return;
  const [title, sentence] = readRefusal(xhr);
  showRefusal(title, sentence || document.getElementById("busy").dataset.failed);
});
for (const failure of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(failure, (event) => {
    if (isFromUser(event)) showRefusal("", document.getElementById("busy").dataset.unreachable);
  });
}

// News of ended trainings belongs on the page in front, not on a hidden one.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.elt.id === "news" && document.hidden) event.preventDefault();
});

// Buttons that only work with JavaScript show up with it.
document.addEventListener("htmx:load", (event) => {
  for (const button of event.detail.elt.querySelectorAll?.(".needs-js[hidden]") || []) button.hidden = false;
});
document.addEventListener("click", (event) => {
  if (event.target.closest?.("[data-print]")) window.print();
});
