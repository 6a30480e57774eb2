// Conveniences only: every page works without this file.
"use strict";

// A form that was changed and not sent asks before it is left: <form data-warn-unsaved>.
const changed = new Set();

document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-warn-unsaved]");
  if (form) changed.add(form);
});

document.addEventListener("submit", (event) => changed.delete(event.target));

window.addEventListener("beforeunload", (event) => {
  if ([...changed].some((form) => form.isConnected)) event.preventDefault();
});

// <button type="button" data-print hidden>: shown where a script can print.
const offerPrinting = (root) => {
  for (const button of root.querySelectorAll("[data-print]")) button.hidden = false;
};

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});

// What htmx asked for in place of a page (hx-push-url), and another page answers (signing in, a refusal) or nobody
// does, is asked for as a page. Of other requests a form may be open that must not be left.
const instead = (event) => {
  const { ctx } = event.detail;
  if (!ctx?.push || (ctx.response && !ctx.response.raw.redirected && ctx.response.status < 400)) return;
  event.preventDefault();
  window.location.assign(ctx.request.action);
};

document.addEventListener("htmx:before:response", instead);
document.addEventListener("htmx:error", instead);

document.addEventListener("htmx:after:swap", () => offerPrinting(document));

offerPrinting(document);
