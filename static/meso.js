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

// When many requests come in: a small sum, done while the form is filled in. Whoever sends before it is done is sent when it is.
document.addEventListener("DOMContentLoaded", () => {
  const box = document.querySelector("[data-work]");
  if (!box || !window.Worker || !window.isSecureContext) return;
  const { work: token, puzzles, bits, worker } = box.dataset;
  const form = box.closest("form");
  const says = box.querySelector("[data-work-says]");
  const answer = form.querySelector("[data-work-done]");
  let waiting = null;
  const sum = new Worker(worker);
  box.querySelector("[data-work-else]").hidden = true;
  says.textContent = says.dataset.working;
  form.addEventListener("submit", (event) => {
    if (answer.value || event.submitter?.value === "choose") return;
    event.preventDefault();
    waiting = event.submitter;
    says.textContent = says.dataset.sending;
  });
  sum.onmessage = ({ data }) => {
    answer.value = data;
    says.textContent = says.dataset.ready;
    if (waiting) form.requestSubmit(waiting);
  };
  sum.onerror = () => {
    says.textContent = "";
    box.querySelector("[data-work-else]").hidden = false;
    answer.value = "-";
  };
  sum.postMessage({ token, puzzles: Number(puzzles), bits: Number(bits) });
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

// The idle lock (meso/lock.py). The server locks by itself. The page warns before, then hides what it shows and asks for the password
// in place, so that what is typed in it stays. It goes by the clock on the wall, lest a machine that slept wakes with the page open.
document.addEventListener("DOMContentLoaded", () => {
  const body = document.body, asked = body.dataset.lock;
  if (!asked) return;
  const warns = Number(body.dataset.lockWarning) * 1000;
  let token = JSON.parse(body.getAttribute("hx-headers"))["X-CSRFToken"];
  let locks, ends, told = Date.now(), warning = null, cover = null, typing = null, busy = false, worked = false;

  const read = (left, over) => { locks = Date.now() + left * 1000; ends = Date.now() + over * 1000; };
  const left = () => Math.min(locks, ends) - Date.now();
  read(Number(body.dataset.lockLeft), Number(body.dataset.lockEnds));

  const send = (url, method, form) => fetch(url, {
    method, body: form, redirect: "manual", cache: "no-store", headers: { "X-CSRFToken": token, Accept: "application/json" },
  });
  const take = (name) => document.getElementById(name).content.firstElementChild.cloneNode(true);
  const hush = () => { if (warning) warning.remove(); warning = null; };

  // What the server says of the session: it is this person's and goes on, is locked, or is over.
  const settle = (state) => {
    if (!state || String(state.who) !== body.dataset.lockWho) { hide("lock-over"); return; }
    token = state.token;
    body.setAttribute("hx-headers", JSON.stringify({ "X-CSRFToken": token }));
    document.querySelectorAll("[name=csrfmiddlewaretoken]").forEach((field) => { field.value = token; });
    read(state.left, state.ends);
    if (left() <= 0) hide("lock-cover"); else show();
    if (left() > warns) hush();
  };
  const ask = async (method) => {
    if (busy) { worked = worked || method === "POST"; return; }
    busy = true;
    try {
      const response = await send(asked, method);
      if (response.ok) settle(await response.json());
      else if (response.type === "opaqueredirect" || response.status === 401) settle(null);
    } catch { /* no network: the clock goes on, and so does the lock */ } finally { busy = false; }
    if (worked) { worked = false; ask("POST"); }
  };

  const others = () => [...body.children].filter((part) => part !== cover);
  const hide = (name) => {
    if (cover && cover.dataset.name === name) return;
    if (cover) cover.remove();
    hush();
    cover = take(name);
    cover.dataset.name = name;
    cover.querySelectorAll("[name=csrfmiddlewaretoken]").forEach((field) => { field.value = token; });
    if (body.contains(document.activeElement)) document.activeElement.blur();
    body.append(cover);
    others().forEach((part) => { part.inert = true; });
    body.classList.add("covered");
    cover.querySelector("input:not([type=hidden]), a").focus();
  };
  const show = () => {
    if (!cover) return;
    cover.remove();
    cover = null;
    others().forEach((part) => { part.inert = false; });
    body.classList.remove("covered");
    (typing || document.getElementById("main")).focus();
  };

  const warn = () => {
    if (!warning) {
      warning = take(ends < locks ? "lock-ending" : "lock-warning");
      body.append(warning);
      ask("GET"); // somebody may be at work in another window
    }
    const seconds = Math.max(0, Math.ceil(left() / 1000));
    warning.querySelector(".lock-clock span").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  };
  const tick = () => {
    if (cover) return;
    if (left() <= 0) { hide("lock-cover"); ask("GET"); } else if (left() <= warns) warn();
  };
  setInterval(tick, 1000);
  tick();

  // A key or a click is work, told to the server once a minute; with the warning on the screen, at once.
  const work = (event) => {
    if (cover || left() <= 0) return;
    if (event.target.form && !event.target.form.matches("[role=search]")) typing = event.target;
    if ((warning && locks < ends) || Date.now() - told >= 60000) { told = Date.now(); ask("POST"); }
  };
  ["keydown", "input", "pointerdown", "wheel"].forEach((name) => document.addEventListener(name, work, { passive: true }));
  // Seen again, the page asks: it may have been unlocked in another window, or logged out, or be somebody else's.
  document.addEventListener("visibilitychange", () => { if (!document.hidden) { tick(); ask("GET"); } });
  window.addEventListener("focus", () => { tick(); ask("GET"); });
  window.addEventListener("pageshow", (event) => { if (event.persisted) { tick(); ask("GET"); } });
  document.addEventListener("htmx:responseError", (event) => { if (event.detail.xhr.status === 401) ask("GET"); });

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!cover || !cover.contains(form)) return;
    event.preventDefault();
    if (!("lockOpen" in form.dataset)) { // somebody else logs in: what its writer typed is kept for them
      if (typing) { try { await send(`${asked}typed/`, "POST", new FormData(typing.form)); } catch { /* then it is not */ } }
      form.submit();
      return;
    }
    const said = form.querySelector("[role=alert]");
    said.hidden = true;
    try {
      const response = await send(form.action, "POST", new FormData(form));
      const state = response.ok ? await response.json() : null;
      if (!state || !state.error) { settle(state); return; }
      said.textContent = state.error;
    } catch { said.textContent = form.dataset.lockOpen; }
    said.hidden = false;
    form.password.value = "";
    form.password.focus();
  }, true);
});

// What is typed into the password fields can be looked at.
document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("[data-show-passwords]").forEach((part) => {
    const button = part.querySelector("button");
    const fields = [...part.closest("form").querySelectorAll('input[type="password"]')];
    part.hidden = false;
    button.addEventListener("click", () => {
      const shown = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(shown));
      fields.forEach((field) => { field.type = shown ? "text" : "password"; });
    });
  });
});
