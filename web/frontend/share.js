// A link that is shown once: a click chooses it whole, and where the browser allows it a button copies it.

/** Makes the fresh link of a call's page easy to take along. */
export function offerCopy() {
  const field = document.querySelector(".fresh-link .once");
  const button = document.querySelector("[data-copy]");
  if (!field || !button) return;
  field.addEventListener("focus", () => field.select());
  if (!navigator.clipboard) return; // without HTTPS a browser keeps it to itself
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(field.value);
      button.textContent = button.dataset.copied;
    } catch {
      field.focus();
    }
  });
}
