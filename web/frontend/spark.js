// The way of a figure through the days, as small as a word.
import { scaleLinear } from "d3-scale";
import { area, curveMonotoneX, line } from "d3-shape";
import { draw, onWidth } from "./svg.js";

/** Draws the curve that stands in `data-curve`; "-" is a gap. */
export function drawSpark(svg) {
  const values = svg.dataset.curve.split(" ").map((word) => (word === "-" ? null : Number(word)));
  if (values.filter((value) => value !== null).length < 2) return;
  onWidth(svg, (width, height) => {
    svg.replaceChildren();
    const known = values.filter((value) => value !== null);
    const x = scaleLinear([0, values.length - 1], [1, width - 1]);
    const y = scaleLinear([Math.min(0, ...known), Math.max(...known) || 1], [height - 2, 3]);
    const shape = (it) => it.defined((value) => value !== null).x((_, place) => x(place)).curve(curveMonotoneX);
    draw(svg, "path", { class: "ground", d: shape(area().y0(height)).y1(y)(values) });
    draw(svg, "path", { class: "way", d: shape(line()).y(y)(values) });
  });
}
