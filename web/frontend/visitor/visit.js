// The visit: asks the server which numbers to show, tells it of pages and signs of life.
import { allowed, consent } from "./consent.js";
import { emit } from "./events.js";
import { keep } from "./memory.js";
import { show, watch } from "./page.js";
import { api, framed, site } from "./site.js";

export let answer = {}; // the last one; `until` is an instant of this browser's clock
let last = "[]";
let here = location.href.split("#")[0];
let owed, due, timer; // whether a page view is still to be told; when we are going to speak next

/** What may be shown. */
export const current = () => (Date.now() < answer.until ? answer.numbers : []);

const apply = () => {
  const numbers = current();
  if (last != (last = JSON.stringify(numbers))) {
    show(numbers);
    emit("number", (Leaseline.number = numbers[0]?.e164 ?? null), "number");
  }
};

/** Takes up what an earlier page or another tab was answered, or that it forgot. */
export const adopt = () => {
  answer = {};
  try {
    if (allowed()) answer = JSON.parse(localStorage._ll);
  } catch {} // nothing kept, or no storage
  apply();
};

/** A page view; but a banner's answer may be on its way. */
export const page = (wait) => {
  owed = 1;
  due = Date.now() + (wait ?? (allowed() ? 0 : 500));
  live();
};

/** In a single-page site: a page view when the address is another, as soon as the page has its title. */
export const moved = () => {
  if (here != (here = location.href.split("#")[0])) page(80);
};

/** Speaks to the server in time; but nobody needs a number on a page that nobody sees. */
export const live = () => {
  clearTimeout(timer);
  // A page rendered ahead is visible a moment before it is activated; what it asked then would pass for a robot's.
  if (!document.hidden && !document.prerendering && !framed && (owed || answer.visit))
    timer = setTimeout(ask, due - Date.now());
};

const ask = async () => {
  if (allowed()) takeOver();
  const path = answer.visit ? "/" + answer.visit + (owed ? "/pages" : "/ping") : "";
  owed = 0;
  due = Date.now() + (answer.ping_seconds * 1e3 || 6e4);
  const { visitor } = answer;
  try {
    const response = await fetch(api + path, {
      method: "POST",
      body: JSON.stringify(facts()),
      signal: AbortSignal.timeout?.(2e3),
    });
    const fresh = response.ok && (await response.json());
    // Unless he has been forgotten meanwhile, perhaps in another tab, or met there; or has just said no.
    if (visitor == answer.visitor && (!fresh.visit || allowed()))
      if (fresh) {
        fresh.until = Date.now() + fresh.until * 1e3;
        answer = fresh;
        if (fresh.visit) keep(fresh);
      } else if (path && response.status < 429) {
        // The visit is over: the visitor remains.
        keep((answer = { visitor }));
        page();
      }
    apply();
  } catch {} // the page stays as it is; the next page view asks again
  watch(document);
  live();
};

const facts = () => {
  const cookies = allowed() ? document.cookie : "";
  const ids = {};
  cookies.replace(/\b(_(?:ga|fb|ym|pk|ll).*?)=([^;]+)/g, (_, name, value) => (ids[name] = value));
  return {
    site: site.k,
    url: location.href,
    referrer: document.referrer,
    title: document.title,
    language: navigator.language,
    automated: navigator.webdriver,
    consent: consent(),
    visitor: ids._ll || answer.visitor,
    ids,
  };
};

/** What the visitor did, or that he left: sent even while the page goes away. */
export const tell = (what, detail) => {
  if (answer.visit) navigator.sendBeacon?.(api + "/" + answer.visit + "/" + what, JSON.stringify(detail));
};

/** The visitor who came by a link from another of the site's domains; the address bar is cleared of him. */
const takeOver = () => {
  const [start, visitor, at, rest] = location.href.split(/\??&_ll=([\w-]+)\.(\d+)(?![^#])/);
  if (at) {
    history.replaceState(history.state, "", start + rest);
    here = location.href.split("#")[0]; // another address, not another page
    if (Date.now() - at < 12e4) keep((answer = { visitor })); // for links are copied and sent on
  }
};
