// A call that goes on, or whose recording is being prepared, while its page is open: looks again until it is there.
import { watchNotes } from "./notes.js";
import { replace } from "./patch.js";

const EVERY = 3000;
const PARTS = ["call-head", "recording-card", "story-card", "facts-card"];

/** Fits in what has become of the call; what is being typed stays, and a page in the background rests. */
export function awaitEnd() {
  if (!document.querySelector("[data-unfolding]")) return;
  setTimeout(async () => {
    try {
      if (!document.hidden) await look();
    } catch {
      // The next try may be luckier.
    }
    awaitEnd();
  }, EVERY);
}

async function look() {
  const answer = await fetch(location.pathname, { cache: "no-store", signal: AbortSignal.timeout(8000) });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const id of PARTS) replace(document.getElementById(id), fresh.getElementById(id));
  const share = fresh.getElementById("share");
  if (share && !document.getElementById("share")) {
    document.getElementById("facts-card").after(document.importNode(share, true));
    document.querySelector("#worth > .note")?.remove(); // that the call is still going on
  }
  if (document.querySelector("call-player[data-open]")) watchNotes();
}
