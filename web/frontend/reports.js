// Reports: what is chosen is asked for at once, the drawing, and the button that prints.
import { drawPairs } from "./pairs.js";

document.querySelectorAll("[data-pairs]").forEach(drawPairs);

// On a phone the answer comes first.
const change = document.querySelector("[data-change]");
if (change && matchMedia("(max-width: 760px)").matches && document.querySelector(".answer")) change.open = false;

const asks = document.querySelector("[data-asks]");
asks?.addEventListener("change", (event) => {
  if (event.target.matches("select, [type=checkbox]")) asks.requestSubmit();
});
// Empty fields do not go into the address.
asks?.addEventListener("formdata", (event) => {
  for (const [name, value] of [...event.formData]) if (!String(value).trim()) event.formData.delete(name);
});

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
