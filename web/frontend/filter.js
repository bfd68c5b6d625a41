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
  showCurrent();
  closeAsMenusDo(document.querySelectorAll("details:is(.further, .drop)"));
}

/** On a narrow screen the view that is open may stand beyond the edge of its row. */
function showCurrent() {
  const open = document.querySelector(".views [aria-current]");
  if (open) open.parentElement.scrollLeft = open.offsetLeft - open.parentElement.offsetLeft - 40;
}

/** A click elsewhere closes them, and so does Escape, which leads back to where it was opened. */
function closeAsMenusDo(menus) {
  document.addEventListener("click", (event) => {
    for (const menu of menus) if (menu.open && !menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && event.target.closest("details[open]:is(.further, .drop)");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}
