// What is to be taken along, a snippet or a link, is copied by one click; what becomes live says so.
import { replace } from "./patch.js";

const SOON = 1000;
const SELDOM = 10000;

/** Buttons that copy the text or value of the element they name; without a clipboard they stay hidden. */
export function watchCopies() {
  if (!navigator.clipboard) return;
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    const word = button.textContent;
    button.addEventListener("click", async () => {
      const from = document.getElementById(button.dataset.copy);
      await navigator.clipboard.writeText(from.value ?? from.textContent);
      button.textContent = button.dataset.done;
      setTimeout(() => (button.textContent = word), 2000);
    });
  }
}

/** Asks how the changes stand: often while the worker is at it, now and then otherwise. */
export function watchLive() {
  const find = () => document.getElementById("live-state");
  if (!find()) return;
  let timer = 0;
  let soon = 5; // a worker looks at a change within a second
  const again = () => {
    clearTimeout(timer);
    timer = setTimeout(ask, soon-- > 0 || find().dataset.settled === "no" ? SOON : SELDOM);
  };
  async function ask() {
    const place = find();
    const back = place.querySelector("[name=back]")?.value ?? location.pathname;
    if (!document.hidden && !place.contains(document.activeElement)) {
      try {
        const answer = await fetch(place.dataset.live, { cache: "no-store", signal: AbortSignal.timeout(8000) });
        if (answer.status === 401) return location.reload();
        if (answer.ok) {
          const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live-state");
          for (const field of fresh.querySelectorAll("[name=back]")) field.value = back;
          if (fresh.dataset.state !== place.dataset.state || fresh.textContent !== place.textContent) replace(place, fresh);
        }
      } catch {
        // The next turn asks again.
      }
    }
    again();
  }
  again();
}

/** What is still being waited for, a check or a call, is asked for again until it is there. */
export function watchAgain() {
  const find = () => document.querySelector("[data-again=yes]");
  if (!find()) return;
  async function ask() {
    const place = find();
    if (!place) return;
    if (!document.hidden) {
      try {
        const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(8000) });
        if (answer.status === 401) return location.reload();
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        if (answer.ok) {
          replace(place, page.getElementById(place.id));
          for (const held of document.querySelectorAll("main button[disabled]")) held.disabled = Boolean(find());
        }
      } catch {
        // The next turn asks again.
      }
    }
    setTimeout(ask, SOON);
  }
  setTimeout(ask, SOON);
}
