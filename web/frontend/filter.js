// The filter of the list: a choice is asked for at once, and the address stays short.

/** Sends the form when something is chosen; empty fields do not go into the address. */
export function watchFilter() {
  const form = document.querySelector("form.filter");
  if (!form) return;
  form.addEventListener("change", (event) => {
    // Inside "More" several things are chosen together; its button sends them.
    if (event.target.matches("select") && !event.target.closest(".further")) form.requestSubmit();
  });
  form.addEventListener("formdata", (event) => {
    for (const [name, value] of [...event.formData]) if (!String(value).trim()) event.formData.delete(name);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.target.closest("input, textarea, select") || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    form.elements.q.focus();
  });
  const more = form.querySelector(".further");
  document.addEventListener("click", (event) => {
    if (more.open && !more.contains(event.target)) more.open = false;
  });
}
