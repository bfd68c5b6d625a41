// The page's own script: the player, and the calls that come and go. Everything else is plain HTML.
import "./player.js";
import { watchFilter } from "./filter.js";
import { awaitJudgement } from "./judged.js";
import { spellOut } from "./names.js";
import { watchNotes } from "./notes.js";
import { watch } from "./now.js";
import { watchAgain, watchCopies, watchLive } from "./settings.js";
import { watchWorth } from "./worth.js";

const live = document.querySelector("[data-now]");
if (live) watch(live);
spellOut(document);
awaitJudgement();
watchFilter();
watchWorth();
watchNotes();
watchCopies();
watchLive();
watchAgain();

// The menus of the header close as menus do.
const menus = [...document.querySelectorAll("details.menu")];
document.addEventListener("click", (event) => {
  for (const menu of menus) if (menu.open && !menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && menus.find((it) => it.open);
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
