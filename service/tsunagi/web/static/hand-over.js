// A chosen file is hashed here, and does not leave this device: <input type="file" data-hash-into="id">.
"use strict";

document.addEventListener("change", async (event) => {
  const file = event.target;
  if (!file.dataset.hashInto || !file.files.length || !crypto.subtle) return;
  const digest = await crypto.subtle.digest("SHA-256", await file.files[0].arrayBuffer());
  const hash = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
  document.getElementById(file.dataset.hashInto).value = hash;
  file.value = "";
});
