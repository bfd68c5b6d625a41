// The overview's drawings. Each is made from a table on the page, which says the same without them.
import { drawBars } from "./bars.js";
import { drawFlows } from "./flows.js";
import { drawSpark } from "./spark.js";

document.querySelectorAll("[data-curve]").forEach(drawSpark);
document.querySelectorAll("[data-bars]").forEach(drawBars);
document.querySelectorAll("[data-flows]").forEach(drawFlows);
