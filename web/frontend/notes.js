// Notes of a call: those pinned to a second play from there; a new one may be pinned where the player stands.
import { duration } from "./format.js";

/** Ties the notes of a call's page to its player. */
export function watchNotes() {
  const player = document.querySelector("call-player[data-open]");
  const pin = document.querySelector(".write .at");
  if (!player) return;
  for (const each of document.querySelectorAll("[data-seek]")) {
    each.addEventListener("click", () => {
      player.seek(Number(each.dataset.seek));
      if (player.audio.paused) player.toggle();
    });
  }
  player.addEventListener("moved", (event) => {
    if (!pin || document.activeElement?.closest(".write")) return; // the place one began to write at stays
    pin.hidden = false;
    pin.querySelector("input").value = event.detail.toFixed(1);
    pin.querySelector("span").textContent = duration(event.detail);
  });
}
