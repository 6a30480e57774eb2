/* Passkeys: made on the settings' page, used in place of a code where one signs in. */

const usable = window.PublicKeyCredential && PublicKeyCredential.parseRequestOptionsFromJSON;

async function options(path) {
  const answer = await fetch(path, { method: "POST" });
  if (!answer.ok) throw new Error(path);
  return answer.json();
}

async function asked(form) {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(await options("/sign-in/challenge"));
  const said = await navigator.credentials.get({ publicKey });
  form.elements.namedItem("passkey").value = JSON.stringify(said.toJSON());
  form.elements.namedItem("code").required = false;
  form.requestSubmit();
}

async function made(form) {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(await options("/settings/passkeys/challenge"));
  const credential = await navigator.credentials.create({ publicKey });
  form.elements.namedItem("made").value = JSON.stringify(credential.toJSON());
  form.submit();
}

function offer(button, act) {
  button.hidden = !usable;
  button.addEventListener("click", async () => {
    const form = button.form;
    const problem = form.querySelector("[data-passkey-problem]");
    if (problem) problem.hidden = true;
    try {
      await act(form);
    } catch {
      if (problem) problem.hidden = false;
    }
  });
}

for (const button of document.querySelectorAll("[data-passkey]")) offer(button, asked);
for (const button of document.querySelectorAll("[data-new-passkey]")) offer(button, made);
