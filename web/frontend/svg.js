// Small help for drawing: elements of SVG, and the figures of a table.

/** An element of SVG with attributes; `text` is never markup. */
export function draw(parent, name, attributes = {}, text = "") {
  const it = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) it.setAttribute(key, value);
  if (text) it.textContent = text;
  return parent.appendChild(it);
}

/** A link around a shape, said and shown as `title`; without an address the shape alone. */
export function drawLink(parent, href, title) {
  const link = href ? draw(parent, "a", { href, "aria-label": title }) : draw(parent, "g");
  draw(link, "title", {}, title);
  return link;
}

/** A cell's figure: its number, the address of its calls, and both as the table writes them. */
export function figure(cell) {
  return { n: Number(cell.dataset.n), href: cell.querySelector("a")?.getAttribute("href"), text: cell.textContent.trim() };
}

/** The words of a row's or a column's head, without what is said in small letters. */
export function words(head) {
  return [...head.childNodes].filter((node) => node.nodeType === 3).map((node) => node.textContent).join("").trim();
}

/** An empty drawing as wide as its place; `redraw` comes again when the width changes. */
export function onWidth(place, redraw) {
  let drawn = 0;
  new ResizeObserver(() => {
    const width = Math.floor(place.clientWidth);
    if (!width || width === drawn) return;
    drawn = width;
    redraw(width, place.clientHeight);
  }).observe(place);
}
