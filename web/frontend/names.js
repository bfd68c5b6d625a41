// Codes of countries and languages as words: every browser knows them, so the server need not.
import { language } from "./words.js";

/** Spells out each element marked `data-name-of` ("region", "language") below `root`. */
export function spellOut(root) {
  for (const each of root.querySelectorAll("[data-name-of]")) {
    try {
      each.textContent = new Intl.DisplayNames(language, { type: each.dataset.nameOf }).of(each.textContent);
    } catch {
      // A code that no browser knows stays as it is.
    }
  }
}
