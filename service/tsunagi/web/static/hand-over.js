// Conveniences of the forms by which staff hand over. Without this file everything is said when a part is saved.
"use strict";

// A chosen file is hashed here, and does not leave this device: <input type="file" data-hash-into="id">.
document.addEventListener("change", async (event) => {
  const file = event.target;
  if (!file.dataset.hashInto || !file.files.length || !crypto.subtle) return;
  const digest = await crypto.subtle.digest("SHA-256", await file.files[0].arrayBuffer());
  const hash = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
  document.getElementById(file.dataset.hashInto).value = hash;
  file.value = "";
});

// What was changed in a field is checked when the field is left: htmx asks upon the event "left".
// It is no step that one could go back to.
htmx.config.history = false;
const touched = new WeakSet();
const fieldOf = (element) => element.closest?.("[data-checked]");

document.addEventListener("change", (event) => {
  const field = fieldOf(event.target);
  if (field) touched.add(field);
});

document.addEventListener("focusout", (event) => {
  const [field, next] = [fieldOf(event.target), event.relatedTarget];
  // Who goes to a button or a link goes on from this page: what was typed is saved, and then checked.
  if (!field || !touched.has(field) || field.contains(next) || next?.closest("a, button")) return;
  touched.delete(field);
  field.dispatchEvent(new Event("left"));
});

document.addEventListener("htmx:after:swap", (event) => {
  const field = fieldOf(event.target);
  if (!field) return;
  const wrong = field.querySelector(".told .field-error") !== null;
  for (const control of field.querySelectorAll("input, select, textarea")) {
    if (["radio", "checkbox", "file"].includes(control.type)) continue;
    if (wrong) control.setAttribute("aria-invalid", "true");
    else control.removeAttribute("aria-invalid");
  }
});
