// Fits fresh rows into the table of calls: new ones in their place, changed ones anew, all others untouched.

const served = new WeakMap(); // row -> the HTML it came as, before a player changed it

/** Notes how the server wrote each row. Call it before the rows change. */
export function remember(table) {
  for (const row of table?.rows ?? []) if (!served.has(row)) served.set(row, row.outerHTML);
}

/** Replaces an element unless it is the same; a focused link inside keeps the focus. */
export function replace(old, fresh) {
  if (!old || !fresh || old.isEqualNode(fresh)) return;
  const focused = old.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  const made = document.importNode(fresh, true);
  old.replaceWith(made);
  if (focused) [...made.querySelectorAll("a")].find((link) => link.getAttribute("href") === focused)?.focus();
}

/** Brings the newest days and rows of `table` to the state of `fresh`. */
export function patchCalls(table, fresh) {
  if (!fresh) return;
  if (!table) return location.reload(); // the first call ever: the page is another one now
  if (!table.tHead.isEqualNode(fresh.tHead)) return location.reload(); // other columns were chosen elsewhere
  let before = null;
  for (const body of fresh.tBodies) {
    const old = document.getElementById(body.id);
    const kept = old ?? document.importNode(body, true);
    if (old) patchRows(old, body);
    else if (before) before.after(kept);
    else table.tHead.after(kept);
    before = kept;
  }
  remember(table);
}

function patchRows(old, fresh) {
  let before = null;
  for (const row of [...fresh.rows]) {
    const present = document.getElementById(row.id);
    let kept = present;
    if (!present || (served.get(present) !== row.outerHTML && !present.querySelector("call-player[data-playing], :checked"))) {
      kept = document.importNode(row, true);
      served.set(kept, row.outerHTML);
      if (!present) kept.classList.add("fresh");
    }
    if (present && kept !== present) replaceRow(present, kept);
    else if (!present) before ? before.after(kept) : old.prepend(kept);
    before = kept;
  }
}

function replaceRow(old, fresh) {
  const focused = old.contains(document.activeElement);
  old.replaceWith(fresh);
  if (focused) fresh.querySelector("a")?.focus();
}
