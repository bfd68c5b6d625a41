// What the visitor allows: told by the site's own script, Google's Consent Mode or IAB's TCF. (The browser's own
// privacy signal is a header, for the server.)
import { layer } from "./events.js";
import { site } from "./site.js";
import { keep } from "./memory.js";
import { adopt, answer, page } from "./visit.js";

let own; // what the site's own script said
let banner = self.__tcfapi && false; // what a TCF banner says on purpose 1; until it answers, no
let last;

/** {storage, ads}: true, false, or undefined while nobody has said. */
export const consent = () => {
  const mode = {};
  for (const entry of layer)
    if (entry?.[0] == "consent")
      // Of several defaults the first counts: those for a region come before the general one.
      Object.assign(mode, entry[2], entry[1] != "update" && { ...mode });
  /** Google's tag knows it best, for it reads defaults by region; it says true or false, or the words. */
  const google = (key) => {
    const entry = self.google_tag_data?.ics?.entries?.[key];
    const word = entry?.update ?? entry?.default ?? mode[key];
    return word && word != "denied";
  };
  return {
    storage: own ?? (banner !== false && (google("analytics_storage") ?? banner)),
    ads: google("ad_user_data"),
  };
};

export const allowed = () => consent().storage ?? !site.c;

/** Tells when something has changed, and at first. */
const review = () => {
  if (last != (last = JSON.stringify(consent()))) {
    if (answer.visit && !allowed()) keep({});
    adopt();
    page();
  }
};

export const say = (word) => {
  own = word;
  review();
};

export const watchConsent = () => {
  const push = layer.push;
  layer.push = (...entries) => {
    setTimeout(review);
    return push.apply(layer, entries);
  };
  self.__tcfapi?.("addEventListener", 2, (data) => {
    banner = data?.gdprApplies === false || !!data?.purpose.consents[1];
    review();
  });
  review();
};
