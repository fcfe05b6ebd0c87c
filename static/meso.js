/* The little that HTML can't do alone. Everything works without it. */
"use strict";

// A form is sent once: a second click on its button does nothing while the first is on its way.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.hasAttribute("hx-post")) return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "yes";
  window.addEventListener("pageshow", () => { delete form.dataset.sent; }, { once: true });
  setTimeout(() => { delete form.dataset.sent; }, 5000);
});

// Parts of a form that only one choice needs: <div data-show-when="kind=access,amendment">.
const showParts = () => {
  document.querySelectorAll("[data-show-when]").forEach((part) => {
    const [name, values] = part.dataset.showWhen.split("=");
    const chosen = document.querySelector(`[name="${name}"]:checked, select[name="${name}"]`);
    part.hidden = !(chosen && values.split(",").includes(chosen.value));
  });
};
document.addEventListener("change", showParts);
document.addEventListener("DOMContentLoaded", () => { showParts(); });
document.addEventListener("htmx:afterSwap", showParts);

// Finding inside a form: Enter looks, it does not send the form around it.
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches("[data-no-submit]")) event.preventDefault();
});

// Picking a patient fills in the chart number, so that it is seen what will be sent.
document.addEventListener("change", (event) => {
  if (event.target.name !== "patient_picked") return;
  const box = event.target.form.querySelector('[name="patient"]');
  box.value = event.target.value;
  box.dispatchEvent(new Event("change", { bubbles: true }));
});

// A number typed after a patient was picked is meant: the pick goes.
document.addEventListener("input", (event) => {
  if (event.target.name !== "patient") return;
  event.target.form.querySelectorAll('[name="patient_picked"]').forEach((choice) => { choice.checked = false; });
});

// One click ticks every row of the page.
document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("[data-tick-all]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => {
      document.querySelectorAll(`[name="${button.dataset.tickAll}"]`).forEach((box) => { box.checked = true; });
    });
  });
});

// A recipient the office knows brings its address along, where none was typed; another recipient takes it away again.
document.addEventListener("change", (event) => {
  const list = event.target.list;
  if (!list || !event.target.dataset.fills) return;
  const known = [...list.options].find((option) => option.value === event.target.value);
  const box = event.target.form.querySelector(`[name="${event.target.dataset.fills}"]`);
  if (!box || (box.value && box.value !== box.dataset.filled)) return;
  box.value = box.dataset.filled = known ? known.dataset.address : "";
});

// A part of the page that can't be fetched because the login has expired: the server's own line says so, above what is typed.
document.addEventListener("htmx:responseError", (event) => {
  const { status, responseText } = event.detail.xhr;
  if (status === 401 && !document.querySelector("main > .notice[role=alert]")) document.getElementById("main").insertAdjacentHTML("afterbegin", responseText);
});
