// The page's own script: the player, and the calls that come and go. Everything else is plain HTML.
import "./player.js";
import { watchFilter } from "./filter.js";
import { awaitJudgement } from "./judged.js";
import { spellOut } from "./names.js";
import { watchNotes } from "./notes.js";
import { watch } from "./now.js";
import { watchCopies } from "./settings.js";
import { watchWorth } from "./worth.js";

const live = document.querySelector("[data-now]");
if (live) watch(live);
spellOut(document);
awaitJudgement();
watchFilter();
watchWorth();
watchNotes();
watchCopies();

// The account menu closes as menus do.
const menu = document.querySelector("details.menu");
document.addEventListener("click", (event) => {
  if (menu?.open && !menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && menu?.open) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
