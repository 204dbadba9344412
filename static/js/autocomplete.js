"use strict";
// A field that suggests what the server finds (htmx), with the keys of an ARIA combobox. Without this file it
// is a text field, so every attribute that promises a list is set here.
{
  const listOf = (field) => document.getElementById(field.dataset.suggest);
  const rowsOf = (list) => [...list.querySelectorAll("[data-value]")];
  const fieldOf = (list) => document.querySelector(`[data-suggest="${list.id}"]`);
  const isOpen = (field) => field.getAttribute("aria-expanded") === "true";

  const show = (field, open) => {
    listOf(field).hidden = !open;
    field.setAttribute("aria-expanded", String(open));
    field.removeAttribute("aria-activedescendant");
  };
  const mark = (field, row) => {
    for (const other of rowsOf(listOf(field))) other.setAttribute("aria-selected", String(other === row));
    field.setAttribute("aria-activedescendant", row.id);
    row.scrollIntoView({ block: "nearest" });
  };
  const choose = (field, row) => {
    htmx.trigger(field, "htmx:abort"); // an answer on its way would open the list again
    field.value = row.dataset.value;
    show(field, false);
    field.dispatchEvent(new Event("change", { bubbles: true }));
  };
  const move = (field, step) => {
    const rows = rowsOf(listOf(field));
    if (!isOpen(field)) htmx.trigger(field, "suggest");
    else if (rows.length) {
      const at = rows.findIndex((row) => row.getAttribute("aria-selected") === "true");
      mark(field, rows[at < 0 && step < 0 ? rows.length - 1 : (at + step + rows.length) % rows.length]);
    }
  };

  const keys = {
    ArrowDown: (field) => { move(field, 1); return true; },
    ArrowUp: (field) => { move(field, -1); return true; },
    Escape: (field) => { const open = isOpen(field); show(field, false); return open; },
    Enter: (field) => {
      const row = isOpen(field) && listOf(field).querySelector('[aria-selected="true"]');
      if (row) choose(field, row);
      return Boolean(row);
    },
  };

  document.addEventListener("htmx:load", (event) => {
    for (const field of event.detail.elt.querySelectorAll?.("[data-suggest]") || []) {
      field.setAttribute("role", "combobox");
      field.setAttribute("aria-autocomplete", "list");
      field.setAttribute("aria-controls", field.dataset.suggest);
      const list = listOf(field);
      list.setAttribute("role", "listbox");
      list.setAttribute("aria-label", field.labels[0]?.textContent || "");
      show(field, false);
    }
  });
  document.addEventListener("focusin", ({ target }) => {
    if (!target.matches?.("[data-suggest]")) return;
    target.select();
    htmx.trigger(target, "suggest");
  });
  document.addEventListener("focusout", ({ target }) => {
    if (target.matches?.("[data-suggest]")) show(target, false);
  });
  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    const field = detail.target.matches?.(".options") && fieldOf(detail.target);
    if (field) show(field, document.activeElement === field);
  });
  document.addEventListener("keydown", (event) => {
    const field = event.target;
    if (field.matches?.("[data-suggest]") && !event.isComposing && keys[event.key]?.(field)) event.preventDefault();
  });
  document.addEventListener("pointerdown", (event) => {
    if (event.target.closest?.(".options")) event.preventDefault(); // the field keeps the focus
  });
  document.addEventListener("click", (event) => {
    const row = event.target.closest?.(".options [data-value]");
    if (row) choose(fieldOf(row.parentElement), row);
  });
}
