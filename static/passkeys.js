/* Passkeys, where the browser has them at this address. Without this script the forms that need it stay hidden or say so. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const byName = !/^[\d.]+$|^\[/.test(location.hostname); // a passkey belongs to a name, never to a number
  if (!(window.webauthnJSON && webauthnJSON.supported() && byName)) return;
  document.querySelectorAll("[data-passkeys]").forEach((part) => { part.hidden = false; });
  document.querySelectorAll("[data-no-passkeys]").forEach((part) => { part.hidden = true; });
  document.querySelectorAll("form[data-passkey]").forEach((form) => {
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const failed = form.querySelector("[data-passkey-failed]");
      failed.hidden = true;
      try {
        const credential = await webauthnJSON[form.dataset.passkey](JSON.parse(form.dataset.options));
        form.querySelector('[name="credential"]').value = JSON.stringify(credential);
        form.submit();
      } catch {
        failed.hidden = false;
      }
    });
  });
});
