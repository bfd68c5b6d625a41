// The page's language: what the script says comes with the page (web/script_words.py), so that it is translated there.

export const language = document.documentElement.lang || "en";
const words = JSON.parse(document.querySelector("script#words")?.textContent ?? "{}");

/** The sentence of that name, with values where it has `%(name)s`. */
export function say(name, values = {}) {
  return (words[name] ?? name).replace(/%\((\w+)\)s/g, (_, each) => values[each]);
}
