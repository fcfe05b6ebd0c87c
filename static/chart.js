/* The entry form and the line: drafts kept while typing, words taken from the text, rows that unfold. All works without it. */
"use strict";

// A draft is kept a few seconds after the last change; when that fails, nothing is said and the next change tries again.
document.querySelectorAll("form[data-draft-url]").forEach((form) => {
  const status = form.querySelector("[data-draft-status]");
  let timer = 0;
  const keep = async () => {
    const data = new FormData(form);
    [...data.entries()].forEach(([name, value]) => { if (value instanceof File) data.delete(name); });
    try {
      const answer = await fetch(form.dataset.draftUrl, { method: "POST", body: new URLSearchParams(data), redirect: "error" });
      if (answer.ok) status.textContent = await answer.text();
    } catch { /* offline: the form itself still holds the text */ }
  };
  form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(keep, 2000); });
  form.addEventListener("submit", () => clearTimeout(timer));
});

// Words selected in the shown entry become the passage to strike.
const passage = document.getElementById("id_passage");
const text = document.querySelector("[data-entry-text] .body-text");
const words = document.querySelector('[name="extent"][value="passage"], [name="line"][value="words"]');
if (passage && text) {
  if (words) {
    const part = passage.closest(".field");
    const showPassage = () => { part.hidden = !words.checked; };
    document.querySelectorAll(`[name="${words.name}"]`).forEach((choice) => choice.addEventListener("change", showPassage));
    showPassage();
  }
  const takeSelected = () => {
    const selection = document.getSelection();
    if (selection.isCollapsed || !text.contains(selection.anchorNode) || !text.contains(selection.focusNode)) return;
    passage.value = selection.toString().trim();
    if (!words) return;
    words.checked = true;
    words.dispatchEvent(new Event("change", { bubbles: true }));
  };
  document.addEventListener("selectionchange", takeSelected);
  takeSelected();
}

// Empty product rows stay folded until they are asked for.
document.querySelectorAll(".product-rows").forEach((rows) => {
  const all = [...rows.querySelectorAll(".product-row")];
  const isEmpty = (row) => ![...row.querySelectorAll("input")].some((input) => input.value || input.classList.contains("is-invalid"));
  all.forEach((row, place) => { row.hidden = place > 1 && isEmpty(row); });
  const more = document.createElement("button");
  more.type = "button";
  more.className = "btn btn-outline-primary btn-sm";
  more.textContent = rows.dataset.addLabel;
  more.addEventListener("click", () => {
    const next = all.find((row) => row.hidden);
    next.hidden = false;
    next.querySelector("input").focus();
    more.hidden = all.every((row) => !row.hidden);
  });
  more.hidden = all.every((row) => !row.hidden);
  rows.after(more);
});
