// What the visitor does: goes from page to page, looks away and back, clicks, sends a form.
import { emit } from "./events.js";
import { isTel } from "./page.js";
import { framed, site } from "./site.js";
import { adopt, answer, live, page, tell } from "./visit.js";

export const SIGNS = {
  visibilitychange: live,
  prerenderingchange: live,
  storage: adopt,
  pagehide: () => framed || tell("leave"),
  pageshow: ({ persisted }) => {
    if (persisted) {
      adopt();
      page();
    }
  },
  click: ({ target }) => {
    const link = target.closest?.("a");
    if (!link) return;
    if (isTel(link)) {
      const number = link.href.slice(4, 99);
      tell("events", { kind: "phone_click", detail: { number, text: link.textContent.slice(0, 99) } });
      emit("click", number, "phone_click");
    } else {
      // To a domain of the site, or below one, where the cookie is not known: the link takes the visitor along.
      const apart = (domain) => {
        const covers = ({ hostname }) => ("." + hostname).endsWith("." + domain);
        return covers(link) && !covers(location);
      };
      if (answer.visit && site.d.some(apart)) link.search += "&_ll=" + answer.visitor + "." + Date.now();
    }
  },
  /** Which form it was, never what was typed. */
  submit: ({ target }) => {
    const detail = {};
    for (const name of ["name", "id", "action"])
      detail[name] = target.getAttribute(name)?.split(/[?#]/)[0].slice(0, 99);
    tell("events", { kind: "form", detail });
  },
};

