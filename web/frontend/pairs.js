// Cost beside gross profit, a pair of bars a row: drawn from the report's table, which says the same.
import { scaleLinear } from "d3-scale";
import { draw, drawLink, onWidth } from "./svg.js";

const MOST = 8; // rows that are drawn: those that cost most
const ROW = 34;
const BAR = 10;
const GAP = 14; // pixels between the names and their bars
const pen = document.createElement("canvas").getContext("2d");

/** Draws the pairs of `place` whenever its width changes. */
export function drawPairs(place) {
  const box = document.getElementById(place.dataset.pairs);
  const rows = [...box.querySelectorAll("tbody tr:not(.blank)")].map(read).filter((row) => row.cost.n);
  const shown = rows.sort((one, other) => other.cost.n - one.cost.n).slice(0, MOST);
  if (shown.length < 2) {
    place.closest("section").remove();
    return;
  }
  place.style.height = `${shown.length * ROW}px`;
  pen.font = `12px ${getComputedStyle(place).fontFamily}`; // as .drawn text has it
  onWidth(place, (width, height) => place.replaceChildren(chart(shown, width, height)));
}

function read(row) {
  const heads = [...row.querySelectorAll("th")];
  const figure = (key) => {
    const cell = row.querySelector(`[data-key="${key}"]`);
    return { n: Number(cell.dataset.n || 0), text: cell.firstChild?.textContent.trim() ?? "" };
  };
  return {
    name: heads.map((head) => head.textContent.trim()).join(" / "),
    href: heads[0].querySelector("a")?.getAttribute("href"),
    cost: figure("cost"),
    profit: figure("profit"),
  };
}

function chart(rows, width, height) {
  const names = Math.min(width * 0.34, Math.max(...rows.map((row) => wide(row.name))) + GAP);
  const svg = draw(document.createDocumentFragment(), "svg", {
    width, height, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-labelledby": "cost-against",
  });
  const values = rows.flatMap((row) => [row.cost.n, row.profit.n]);
  const x = scaleLinear([Math.min(0, ...values), Math.max(...values, 1)], [names, width - 66]);
  draw(svg, "line", { class: "rule", x1: x(0), x2: x(0), y1: 0, y2: height });
  rows.forEach((row, place) => pair(svg, row, place * ROW + 4, x, names - GAP));
  return svg;
}

const wide = (text) => pen.measureText(text).width;

/** A name as far as there is room for it. */
function fitting(name, room) {
  if (wide(name) <= room) return name;
  const letters = [...name];
  while (letters.length > 1 && wide(`${letters.join("")}…`) > room) letters.pop();
  return `${letters.join("")}…`;
}

function pair(svg, row, y, x, room) {
  const link = drawLink(svg, row.href, `${row.name}: ${row.cost.text} / ${row.profit.text}`);
  link.setAttribute("class", "pair");
  const said = draw(svg, "g", { "aria-hidden": "true" });
  draw(said, "text", { class: "name", x: 0, y: y + BAR + 1, dy: "0.32em" }, fitting(row.name, room));
  [["cost", row.cost], ["profit", row.profit]].forEach(([kind, it], at) => {
    const [from, to] = [x(0), x(it.n)].sort((one, other) => one - other);
    const top = y + at * (BAR + 2);
    const look = kind === "profit" && it.n < row.cost.n ? "profit less" : kind;
    draw(link, "rect", { class: look, x: from, width: Math.max(to - from, 1), y: top, height: BAR, rx: 2 });
    draw(said, "text", { x: to + 6, y: top + BAR / 2, dy: "0.34em" }, it.text);
  });
}
