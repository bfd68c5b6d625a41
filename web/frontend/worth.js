// What a call was worth: one click or one key, sent at once; j and k walk through the list.
import { replace } from "./patch.js";
import { say } from "./words.js";

const KEYS = { 1: "target", 2: "service", 3: "non_target" };
const TYPING = "input, textarea, select, [contenteditable]";
const form = document.querySelector("#judge");

/** Buttons of categories work without leaving the page; keys do what the buttons do. */
export function watchWorth() {
  document.addEventListener("keydown", key);
  watchChosen();
  if (!form) return;
  document.addEventListener("click", (event) => {
    const button = event.target.closest(".choice button[form=judge]");
    if (!button || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    send(button);
  });
}

/** How many calls of the list are chosen; with Shift, all between this one and the last. */
function watchChosen() {
  const bulk = document.querySelector("#bulk");
  if (!bulk) return;
  let last = null;
  document.addEventListener("click", (event) => {
    const box = event.target.closest("input[name=key]");
    if (!box) return;
    const boxes = [...document.querySelectorAll("input[name=key]")];
    const [from, to] = [boxes.indexOf(last), boxes.indexOf(box)].sort((a, b) => a - b);
    if (event.shiftKey && from >= 0) for (const each of boxes.slice(from, to + 1)) each.checked = box.checked;
    last = box;
    const chosen = boxes.filter((each) => each.checked).length;
    bulk.querySelector("b").textContent = say("chosen", { num: chosen });
  });
}

async function send(button) {
  const choice = button.closest(".choice");
  const value = button.value;
  const before = pressed(choice);
  press(choice, value === "none" ? null : value); // at once; taken back if the server says no
  choice.setAttribute("aria-busy", "true");
  try {
    const body = new FormData(form);
    body.set("category", value);
    const answer = await fetch(button.formAction, {
      method: "POST",
      body: new URLSearchParams(body),
      headers: { Accept: "application/json" },
      signal: AbortSignal.timeout(8000),
    });
    if (answer.status === 401) return location.reload();
    const said = await answer.json();
    if (!answer.ok) throw new Error(`${said.error.message}. ${said.error.fix}.`);
    press(choice, said.category);
    if (choice.closest("#worth")) await retell();
  } catch (problem) {
    press(choice, before);
    tell(problem.message.endsWith(".") ? problem.message : say("unchanged"));
  } finally {
    choice.removeAttribute("aria-busy");
  }
}

/** On the call's page who set it and when stand beside it; what is being typed there stays. */
async function retell() {
  const answer = await fetch(location.pathname, { cache: "no-store", signal: AbortSignal.timeout(8000) });
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  replace(document.querySelector("#worth .said"), fresh.querySelector("#worth .said"));
}

const pressed = (choice) => choice.querySelector("[aria-pressed=true]")?.dataset.word ?? null;

function press(choice, word) {
  for (const button of choice.querySelectorAll("button")) {
    const on = button.dataset.word === word;
    button.setAttribute("aria-pressed", String(on));
    button.value = on ? "none" : button.dataset.word;
  }
}

/** Says what went wrong, for as long as it takes to read. */
function tell(text) {
  const old = document.querySelector(".toast");
  const toast = old ?? document.createElement("p");
  toast.className = "toast";
  toast.setAttribute("role", "alert");
  toast.textContent = text;
  if (!old) document.body.append(toast);
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => toast.remove(), 8000);
}

function key(event) {
  if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest(TYPING)) return;
  const row = current();
  if (event.key === "j" || event.key === "k") walk(row, event.key === "j" ? 1 : -1);
  else if (event.key === "x") row?.querySelector("input[name=key]")?.click();
  else if (KEYS[event.key]) (row ?? document.querySelector("#worth"))?.querySelector(`[data-word=${KEYS[event.key]}]`)?.click();
  else if (event.key === " " && !event.target.closest("button, summary, [role=slider]")) play(row, event);
}

/** The row of the list that keys mean: the one with the focus in it. */
const current = () => document.activeElement?.closest("tr.call");

function walk(row, step) {
  const rows = [...document.querySelectorAll("tr.call")];
  const next = rows[row ? rows.indexOf(row) + step : 0];
  next?.querySelector(".who a").focus({ preventScroll: true });
  next?.scrollIntoView({ block: "nearest" });
}

function play(row, event) {
  const button = (row ?? document.querySelector("main")).querySelector("call-player .play");
  if (!button || (!row && !document.querySelector("call-player[data-open]"))) return;
  event.preventDefault();
  button.click();
}
