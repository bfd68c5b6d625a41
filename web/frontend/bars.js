// Calls as bars, answered below and missed above: drawn from the table that stands below the drawing.
import { scaleBand, scaleLinear } from "d3-scale";
import { draw, drawLink, figure, onWidth, words } from "./svg.js";

const MARGIN = { top: 8, right: 4, bottom: 24, left: 36 };
const LABEL = 78; // pixels that a day's name needs

/** Draws the bars of `place` whenever its width changes. */
export function drawBars(place) {
  const table = document.getElementById(place.dataset.bars);
  const heads = [...table.tHead.rows[0].cells].map(words);
  const rows = [...table.tBodies[0].rows].map((row) => ({
    name: words(row.cells[0]),
    calls: figure(row.cells[1]),
    answered: figure(row.cells[2]),
    missed: figure(row.cells[3]),
  }));
  onWidth(place, (width, height) => place.replaceChildren(chart(rows, heads, width, height, table)));
}

function chart(rows, heads, width, height, table) {
  const svg = draw(document.createDocumentFragment(), "svg", {
    width, height, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-labelledby": table.getAttribute("aria-labelledby"),
  });
  const most = Math.max(...rows.map((row) => row.calls.n), 4);
  const y = scaleLinear([0, most], [height - MARGIN.bottom, MARGIN.top]).nice(4);
  const x = scaleBand(rows.map((_, place) => place), [MARGIN.left, width - MARGIN.right]).paddingInner(0.22).paddingOuter(0.1);
  for (const tick of y.ticks(4).filter(Number.isInteger)) {
    draw(svg, "line", { class: "rule", x1: MARGIN.left, x2: width, y1: y(tick), y2: y(tick) });
    draw(svg, "text", { class: "tick", x: MARGIN.left - 8, y: y(tick), dy: "0.32em", "text-anchor": "end" }, y.tickFormat(4, "~s")(tick));
  }
  const every = Math.max(1, Math.ceil((rows.length * LABEL) / (width - MARGIN.left)));
  rows.forEach((row, place) => bar(svg, row, heads, { x: x(place), wide: x.bandwidth(), y }));
  rows.forEach((row, place) => {
    if (place % every || x(place) + LABEL / 2 > width) return;
    draw(svg, "text", { class: "tick", x: x(place) + x.bandwidth() / 2, y: height - 6, "text-anchor": "middle" }, row.name);
  });
  return svg;
}

function bar(svg, row, heads, { x, wide, y }) {
  const said = [row.calls, row.answered, row.missed].map((it, place) => `${heads[place + 1]} ${it.text}`);
  const whole = drawLink(svg, row.calls.href, `${row.name}: ${said.join(", ")}`);
  whole.setAttribute("class", "bar");
  const open = row.calls.n - row.answered.n - row.missed.n;
  let from = 0;
  for (const [kind, n] of [["answered", row.answered.n], ["missed", row.missed.n], ["open", open]]) {
    if (n > 0) draw(whole, "rect", { class: kind, x, width: wide, y: y(from + n), height: y(from) - y(from + n), rx: Math.min(2, wide / 4) });
    from += n;
  }
}
