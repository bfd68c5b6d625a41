// Asks what goes on right now, and fits the answer into the page without disturbing what a person is doing.
import { patchCalls, remember, replace } from "./patch.js";
import { duration } from "./format.js";

const EVERY = 1500;
const SLOWEST = 15000;
const title = document.title;

/** Keeps `place` (the live calls, a board's pieces) and the newest rows of the list as they are on the server. */
export function watch(place) {
  let tag = null;
  let pause = EVERY;
  let timer = 0;
  let ahead = Date.parse(place.dataset.at) - Date.now(); // of the server's clock to ours

  async function ask() {
    const headers = tag ? { "If-None-Match": tag } : {};
    const answer = await fetch(place.dataset.now, { headers, cache: "no-store", signal: AbortSignal.timeout(8000) });
    if (answer.status === 401) return location.reload();
    if (answer.status === 304) return;
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const seen = Date.parse(answer.headers.get("Date"));
    if (Math.abs(seen - Date.now() - ahead) > 2000) ahead = seen - Date.now();
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    tag = answer.headers.get("ETag");
    for (const piece of fresh.querySelectorAll("#live, [data-piece]")) {
      replace(document.getElementById(piece.id), piece);
    }
    patchCalls(document.querySelector("#calls"), fresh.querySelector("#calls"));
    count();
  }

  async function tick() {
    clearTimeout(timer);
    if (document.hidden) return;
    try {
      await ask();
      pause = EVERY;
    } catch {
      pause = Math.min(pause * 2, SLOWEST);
    }
    place.classList.toggle("stale", pause > EVERY);
    timer = setTimeout(tick, pause);
  }

  function count() {
    for (const each of place.querySelectorAll("[data-since]")) {
      each.textContent = duration((Date.now() + ahead - Date.parse(each.dataset.since)) / 1000);
    }
    const calls = place.querySelectorAll("#live li").length;
    document.title = calls ? `(${calls}) ${title}` : title;
  }

  remember(document.querySelector("#calls"));
  document.addEventListener("visibilitychange", tick);
  setInterval(count, 1000);
  count();
  timer = setTimeout(tick, EVERY);
}
