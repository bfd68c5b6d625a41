// The page's own script: the player, and the calls that come and go. Everything else is plain HTML.
import "./player.js";
import { watchFilter } from "./filter.js";
import { awaitJudgement } from "./judged.js";
import { spellOut } from "./names.js";
import { watchNotes } from "./notes.js";
import { watch } from "./now.js";
import { watchAgain, watchCopies, watchLive } from "./settings.js";
import { awaitEnd } from "./unfold.js";
import { watchWorth } from "./worth.js";

const live = document.querySelector("[data-now]");
if (live) watch(live);
// The answer to a form of a call's page is that page: to be asked for again, and reloaded, as such.
const call = document.querySelector("#worth")?.dataset.call;
if (call && location.pathname !== `/calls/${call}`) history.replaceState(null, "", `/calls/${call}${location.hash}`);
spellOut(document);
awaitJudgement();
awaitEnd();
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
