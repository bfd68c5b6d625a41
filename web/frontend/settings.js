// What is to be taken along, a snippet or a link, is copied by one click.

/** Buttons that copy the text or value of the element they name; without a clipboard they stay hidden. */
export function watchCopies() {
  if (!navigator.clipboard) return;
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    const word = button.textContent;
    button.addEventListener("click", async () => {
      const from = document.getElementById(button.dataset.copy);
      await navigator.clipboard.writeText(from.value ?? from.textContent);
      button.textContent = button.dataset.done;
      setTimeout(() => (button.textContent = word), 2000);
    });
  }
}
