// From sources to outcomes, and what the calls answered were worth: drawn from the two tables below the drawing.
import { sankey, sankeyLeft } from "d3-sankey";
import { curveBumpX, link } from "d3-shape";
import { draw, drawLink, figure, onWidth, words } from "./svg.js";

const NARROW = 600; // pixels: the names are short
const path = link(curveBumpX).source((it) => [it.source.x1, it.y0]).target((it) => [it.target.x0, it.y1]);

/** Draws the flows of `place` whenever its width changes. */
export function drawFlows(place) {
  const [flows, worth] = [place.dataset.flows, place.dataset.worth].map((id) => document.getElementById(id));
  onWidth(place, (width, height) => {
    const graph = read(flows, worth);
    if (graph.links.length) place.replaceChildren(chart(graph, width, height, flows));
  });
}

function read(flows, worth) {
  const nodes = new Map();
  const links = [];
  const node = (id, name, tone, group = "") => nodes.get(id) ?? nodes.set(id, { id, name, tone, group }).get(id);
  const flow = (from, to, it) => it.n && links.push({ source: from, target: to, value: it.n, ...it });
  const heads = [...flows.tHead.rows[0].cells].slice(1);
  for (const [place, row] of [...flows.tBodies[0].rows].entries()) {
    const cells = [...row.cells].slice(1).map(figure);
    if (!cells.some((it) => it.n)) continue;
    const from = node(`from-${place}`, words(row.cells[0]), "source", row.cells[0].querySelector("small")?.textContent ?? "");
    cells.forEach((it, at) => it.n && flow(from, node(`to-${at}`, words(heads[at]), heads[at].dataset.tone), it));
  }
  const answered = nodes.get("to-0"); // the first of the outcomes
  const values = [...worth.tBodies[0].rows[0].cells].map(figure);
  [...worth.tHead.rows[0].cells].forEach((head, at) => {
    if (answered && values[at].n) flow(answered, node(`worth-${at}`, words(head), head.dataset.tone), values[at]);
  });
  return { nodes: [...nodes.values()], links };
}

function chart(graph, width, height, table) {
  const svg = draw(document.createDocumentFragment(), "svg", {
    width, height, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-labelledby": table.getAttribute("aria-labelledby"),
  });
  const { nodes, links } = sankey().nodeWidth(8).nodePadding(width < NARROW ? 12 : 14).nodeAlign(sankeyLeft).nodeSort(null)
    .extent([[0, 6], [width, height - 6]])(graph);
  for (const it of links) {
    const said = `${[it.source.name, it.source.group].filter(Boolean).join(" · ")} → ${it.target.name}: ${it.text}`;
    const shape = drawLink(svg, it.href, said);
    shape.setAttribute("class", `flow ${it.target.tone}`);
    draw(shape, "path", { d: path(it), "stroke-width": Math.max(1, it.width) });
  }
  for (const it of nodes) {
    draw(svg, "rect", { class: `node ${it.tone}`, x: it.x0, y: it.y0, width: it.x1 - it.x0, height: Math.max(1, it.y1 - it.y0), rx: 2 });
    const left = it.depth < 2;
    const label = draw(svg, "text", {
      class: "name", x: left ? it.x1 + 6 : it.x0 - 6, y: (it.y0 + it.y1) / 2, dy: "0.35em", "text-anchor": left ? "start" : "end",
    }, width < NARROW && it.name.length > 16 ? `${it.name.slice(0, 15)}…` : it.name);
    if (width >= NARROW && it.group) draw(label, "tspan", { dx: 5 }, it.group);
  }
  return svg;
}
