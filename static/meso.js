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
