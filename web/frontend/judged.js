// A source that is being worked out when the page is opened: looks again until it is, and fits it in.
import { spellOut } from "./names.js";
import { replace } from "./patch.js";

const EVERY = 500;
const TRIES = 20;
const PARTS = ["origin", "journey-card", "visit-card"];

/** Asks for the page again while it says that it judges; the player and what is typed stay as they are. */
export function awaitJudgement(tries = TRIES) {
  if (!tries || !document.querySelector("#origin[data-judging]")) return;
  setTimeout(async () => {
    try {
      const answer = await fetch(location.pathname, { cache: "no-store", signal: AbortSignal.timeout(8000) });
      if (answer.ok) fit(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch {
      // The next try may be luckier.
    }
    awaitJudgement(tries - 1);
  }, EVERY);
}

function fit(fresh) {
  if (fresh.querySelector("#origin[data-judging]") || document.querySelector("#code:focus")) return;
  if (PARTS.some((id) => !document.getElementById(id) !== !fresh.getElementById(id))) return location.reload();
  spellOut(fresh);
  for (const id of PARTS) replace(document.getElementById(id), fresh.getElementById(id));
}
