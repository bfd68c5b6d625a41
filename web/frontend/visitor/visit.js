// The visit: asks the server which numbers to show, tells it of pages and signs of life.
import { allowed, consent } from "./consent.js";
import { emit } from "./events.js";
import { keep, recall } from "./memory.js";
import { show } from "./page.js";
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
  answer = (allowed() && recall()) || {};
  apply();
};

/** A page view; but a banner's answer may be on its way. */
export const page = () => {
  owed = 1;
  due = Date.now() + (allowed() ? 0 : 500);
  live();
};

/** In a single-page site: a page view when the address is another, as soon as the page has its title. */
export const moved = () => {
  if (here != (here = location.href.split("#")[0])) {
    owed = 1;
    due = Date.now() + 80;
    live();
  }
};

/** Speaks to the server in time; but nobody needs a number on a page that nobody sees. */
export const live = () => {
  clearTimeout(timer);
  // A page rendered ahead is visible a moment before it is activated; what it asked then would pass for a robot's.
  if (!document.hidden && !document.prerendering && !framed && (owed || answer.visit))
    timer = setTimeout(ask, due - Date.now());
};

const ask = async () => {
  const may = allowed();
  if (may) takeOver();
  const path = answer.visit ? `/${answer.visit}${owed ? "/pages" : "/ping"}` : "";
  owed = 0;
  due = Date.now() + (answer.ping_seconds * 1e3 || 6e4);
  try {
    const response = await fetch(api + path, {
      method: "POST",
      body: JSON.stringify(facts(may)),
      signal: AbortSignal.timeout?.(2e3),
    });
    if (response.ok) {
      const fresh = await response.json();
      if (may == allowed()) {
        fresh.until = Date.now() + fresh.until * 1e3;
        answer = fresh;
        if (answer.visit) keep(answer);
      }
    } else if (path && response.status < 429) {
      // The visit is over: the visitor remains.
      keep((answer = { visitor: answer.visitor }));
      page();
    }
    apply();
  } catch {} // the page stays as it is; the next page view asks again
  live();
};

const facts = (may) => {
  const cookies = may ? document.cookie : "";
  const ids = {};
  cookies.replace(/\b(_(?:ga|fb|ym)\w*)=([^;]+)/g, (_, name, value) => (ids[name] = value));
  return {
    site: site.k,
    url: location.href,
    referrer: document.referrer,
    title: document.title,
    language: navigator.language,
    automated: navigator.webdriver,
    consent: consent(),
    visitor: /\b_ll=([^;]+)/.exec(cookies)?.[1] || answer.visitor,
    ids,
  };
};

/** What the visitor did, or that he left: sent even while the page goes away. */
export const tell = (what, detail) => {
  if (answer.visit) navigator.sendBeacon?.(`${api}/${answer.visit}/${what}`, JSON.stringify(detail));
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
