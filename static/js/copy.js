"use strict";
// A button with `data-copy` puts the text of the element with that id on the clipboard, and says so for a moment.
{
  const SHOWN_MS = 1500;

  const copyText = async (text) => {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    const field = document.body.appendChild(document.createElement("textarea")); // without https there is no clipboard
    field.value = text;
    field.select();
    document.execCommand("copy");
    return field.remove();
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (!button) return;
    const words = button.textContent;
    await copyText(document.getElementById(button.dataset.copy).textContent.replace(/\s+/g, " ").trim());
    button.textContent = button.dataset.done;
    setTimeout(() => { button.textContent = words; }, SHOWN_MS);
  });

  // A choice made closes its menu, except where the button itself answers.
  document.addEventListener("click", (event) => {
    const item = event.target.closest?.(".menubox > a, .menubox > button:not([data-copy])");
    const menu = item?.closest("details.menu");
    if (menu) menu.open = false;
  });
}
