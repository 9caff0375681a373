// Passkeys: the one thing on our pages that needs a script. A form with data-passkey ("get" or "create") and
// data-options (WebAuthn options as JSON) is shown; its button asks the device; the answer goes into the form's field
// "credential" and the form is sent. Nothing is fetched, nothing is kept.
(() => {
  "use strict";
  if (!window.PublicKeyCredential || !navigator.credentials) return;

  const bytes = (text) => {
    const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
  };
  const text = (buffer) => {
    const plain = String.fromCharCode(...new Uint8Array(buffer));
    return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  };
  const named = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

  const wishes = (form) => {
    const options = JSON.parse(form.dataset.options);
    options.challenge = bytes(options.challenge);
    if (options.user) options.user.id = bytes(options.user.id);
    if (options.allowCredentials) options.allowCredentials = named(options.allowCredentials);
    if (options.excludeCredentials) options.excludeCredentials = named(options.excludeCredentials);
    return options;
  };

  const answer = (credential) => {
    const response = { clientDataJSON: text(credential.response.clientDataJSON) };
    for (const part of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (credential.response[part]) response[part] = text(credential.response[part]);
    }
    if (credential.response.getTransports) response.transports = credential.response.getTransports();
    return JSON.stringify({
      id: credential.id,
      rawId: text(credential.rawId),
      type: credential.type,
      authenticatorAttachment: credential.authenticatorAttachment,
      clientExtensionResults: credential.getClientExtensionResults(),
      response,
    });
  };

  const send = (form, credential) => {
    form.elements.credential.value = answer(credential);
    form.submit();
  };

  let offered = null; // the quiet offer in the name field, which a press of the button ends
  const offer = async (form) => {
    const can = window.PublicKeyCredential.isConditionalMediationAvailable;
    if (!can || !(await can.call(window.PublicKeyCredential))) return;
    offered = new AbortController();
    try {
      const mediation = { publicKey: wishes(form), mediation: "conditional", signal: offered.signal };
      const credential = await navigator.credentials.get(mediation);
      if (credential) send(form, credential);
    } catch (error) {
      // Ended by the button, or the person chose otherwise: the page is as it was.
    }
  };

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    for (const other of document.querySelectorAll("[data-without-passkey]")) other.hidden = true;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const trouble = form.querySelector(".problem");
      const button = form.querySelector("[data-start]");
      if (offered) offered.abort();
      trouble.hidden = true;
      button.disabled = true;
      try {
        send(form, await navigator.credentials[form.dataset.passkey]({ publicKey: wishes(form) }));
      } catch (error) {
        trouble.hidden = false;
        button.disabled = false;
        button.focus();
      }
    });
    if ("offer" in form.dataset) offer(form);
  }
})();
