// The settings' few comforts: a snippet is copied by one click.

/** Buttons that copy the text of the element they name; without a clipboard they stay hidden. */
export function watchCopies() {
  if (!navigator.clipboard) return;
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    const word = button.textContent;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
      button.textContent = button.dataset.done;
      setTimeout(() => (button.textContent = word), 2000);
    });
  }
}
