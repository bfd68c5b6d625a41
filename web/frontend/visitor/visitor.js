// Leaseline on a website: shows each visitor a telephone number of his own. docs/website-script.md describes it.
import { say, watchConsent } from "./consent.js";
import { on } from "./events.js";
import { learn, rewrite } from "./numbers.js";
import { show, watch } from "./page.js";
import { SIGNS } from "./signs.js";
import { site } from "./site.js";
import { current, page } from "./visit.js";

/** Look at everything again, and from now on at a shadow root. */
const swap = (root) => {
  if (root?.host) watch(root);
  show(current());
};

/** Tells what is shown in place of the numbers of a list, as soon as something is. */
const numbers = (list, callback) => {
  const tell = () => callback(Object.fromEntries(list.map((each) => [each, rewrite(each)])));
  if (Leaseline.number) tell();
  else on("number", tell);
};

if (!self.Leaseline) {
  self.Leaseline = { number: null, swap, numbers, on, page, consent: say, restore: () => show([]) };
  // What pages call that were made for CallRail or CallTrackingMetrics.
  self.CallTrk ||= { swap, getSwapNumbers: numbers };
  self.__ctm ||= { main: { runNow: swap } };

  for (const each of site.n) learn(each.e, each.v);
  for (const sign in SIGNS) addEventListener(sign, SIGNS[sign], true);
  watchConsent();
}
