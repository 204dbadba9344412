"use strict";
// The training form: minutes to choose beside the seconds. The words come from the page.
const seconds = () => document.getElementById("id_budget");

const markPick = () => {
  for (const button of document.querySelectorAll(".picks [data-seconds]")) {
    button.setAttribute("aria-pressed", String(button.dataset.seconds === seconds().value.trim()));
  }
};

document.addEventListener("click", (event) => {
  const pick = event.target.closest?.(".picks [data-seconds]");
  if (!pick) return;
  seconds().value = pick.dataset.seconds;
  seconds().dispatchEvent(new Event("change", { bubbles: true }));
  markPick();
});
document.addEventListener("input", (event) => { if (event.target === seconds()) markPick(); });
document.addEventListener("htmx:load", () => { if (seconds()) markPick(); }); // also after new ones were suggested
