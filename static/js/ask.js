"use strict";
// A link with `data-ask` leads to a page that asks before something is done. Here its card comes up in a dialog:
// Escape and Cancel close it, and the focus goes back to the link. Without JavaScript the link opens the page.

// The card of the page behind the link; null when the page refuses, which it says in its messages or by itself.
async function fetchQuestion(link) {
  const response = await fetch(link.href);
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const card = page.querySelector("[data-question]");
  if (response.ok && card) return card;
  const messages = page.querySelectorAll("#messages > *");
  if (response.ok && response.redirected && messages.length) {
    document.getElementById("messages").replaceChildren(...messages);
    return null;
  }
  throw new Error(response.status);
}

// The focus stays on the menu's button: what a closed menu holds cannot have it.
function closeMenu(menu) {
  if (!menu?.open) return;
  menu.open = false;
  menu.querySelector("summary").focus();
}

function openQuestion(link, card, answer) {
  const dialog = document.getElementById("ask");
  dialog.replaceChildren(card);
  const title = dialog.querySelector("h1, h2");
  title.id = "ask-title";
  dialog.setAttribute("aria-labelledby", title.id);
  const form = dialog.querySelector("form");
  if (!form.hasAttribute("action")) form.action = link.href;
  form.addEventListener("submit", (event) => {
    if (!answer || !link.isConnected) return; // the form goes its own way, as on the page
    event.preventDefault();
    dialog.close();
    answer();
  });
  closeMenu(link.closest("details.menu"));
  const cancel = dialog.querySelector("[data-cancel]");
  cancel?.addEventListener("click", (event) => { event.preventDefault(); dialog.close(); });
  dialog.showModal();
  (form.querySelector("input:not([type=hidden]), textarea") || cancel || title).focus();
}

// `answer` does what was asked for; without it the form of the question is sent.
async function ask(link, answer) {
  let card = null;
  try {
    card = await fetchQuestion(link);
  } catch {
    location.assign(link.href); // the page itself says what is wrong, or asks for the sign-in
    return;
  }
  if (card) openQuestion(link, card, answer);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-ask]:not([hx-post])");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  ask(link, null);
});

// Links that htmx sends by itself wait for the answer.
document.addEventListener("htmx:confirm", (event) => {
  const link = event.detail.elt;
  if (!link.matches("a[data-ask][hx-post]")) return;
  event.preventDefault();
  ask(link, () => event.detail.issueRequest(true));
});

// A click beside the dialog closes it, as Escape does.
document.addEventListener("click", (event) => {
  if (event.target.id === "ask") event.target.close();
});

// The menu of the person closes on Escape and on a click elsewhere.
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") closeMenu(document.querySelector("details.menu[open]"));
});
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
