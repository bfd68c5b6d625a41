// The page's own document: finds the site's numbers in it, swaps them, keeps them swapped, puts them back.
import { emit } from "./events.js";
import { codeOf, isPiece, replaceBy, rewrite, shownFor } from "./numbers.js";
import { moved } from "./visit.js";

const LEFT_ALONE =
  "head,script,style,noscript,textarea,option,code,[contenteditable],[data-leaseline-noswap],[data-calltrk-noswap]";

const written = new WeakMap(); // text or attribute -> what we wrote there, what stood there, how often in the last 10 s
const roots = []; // the document, and shadow roots that the site showed us
const waiting = []; // nodes to look at, with all below them
let nodes; // what is below the one that is being looked at, as far as it is still to come
let settled; // texts and attributes of which it is known what stands there as long as the numbers are these
let frame, changed;
let live; // a number has been shown: until then there is nothing to look for

/** Keep the numbers below a root swapped: the document's, or a shadow root's. */
export const watch = (root) => {
  roots.push(root);
  new MutationObserver((records) => {
    if (live) {
      for (const record of records)
        waiting.push(...(record.type == "childList" ? record.addedNodes : [record.target]));
      frame ||= requestAnimationFrame(work);
    }
    moved();
  }).observe(root, { subtree: true, childList: true, characterData: true, attributeFilter: ["href"] });
};

/** Swap the site's numbers for these, wherever they stand and will stand. */
export const show = (numbers) => {
  settled = new WeakMap();
  replaceBy(numbers);
  if ((live ||= numbers[0])) {
    waiting.push(...roots);
    work();
  }
};

/** Looks at all that waits, for 8 ms at most; at the rest in the next frame. */
const work = () => {
  const end = Date.now() + 8;
  frame = 0;
  for (let node; (node = nodes?.nextNode()) || waiting[0]; ) {
    if (node) look(node);
    else nodes = document.createNodeIterator(waiting.pop(), 5);
    if (Date.now() > end) return (frame = requestAnimationFrame(work));
  }
  if (changed) emit("swap");
  changed = 0;
};

const look = (node) => {
  if (node.nodeType == 3) {
    const old = original(node);
    if (old == node.nodeValue ? !/\d/.test(old) : settled.has(node)) return;
    const text = rewrite(old);
    if (text == old)
      // Perhaps a number that is split over several elements.
      for (let whole = node, text; (text = whole?.textContent)?.length < 41 && isPiece(text); whole = whole.parentNode)
        if (shownFor(text)) return fill(whole, rewrite(text));
    put(node, text);
  } else {
    const hook = shownFor(node.getAttribute("data-leaseline-number") + "");
    if (hook) {
      if (!node.firstChild) node.append("");
      fill(node, hook.display + codeOf(hook));
    }
    if (isTel(node))
      for (const name of ["title", "aria-label", "href"]) {
        const attribute = node.getAttributeNode(name);
        if (attribute) put(attribute, rewrite(original(attribute), name == "href"));
      }
  }
};

export const isTel = (link) => /^(tel|callto):/.test(link.href);

/** What stood there before us. */
const original = (node) => {
  const record = written.get(node);
  return record?.text_ == node.nodeValue ? record.old_ : node.nodeValue;
};

/** Writes into the first text of an element, and empties the others. */
const fill = (element, text) => {
  const parts = document.createNodeIterator(element, 4);
  for (let node; (node = parts.nextNode()); text = "") put(node, text);
};

/** Writes, unless the place is to be left alone, or somebody writes against us. */
const put = (node, text) => {
  settled.set(node);
  const record = written.get(node) || { times_: 0 };
  if (
    node.nodeValue != text &&
    record.times_ < 5 &&
    !(node.ownerElement || node.parentElement)?.closest(LEFT_ALONE)
  ) {
    record.times_++;
    setTimeout(() => record.times_--, 1e4);
    record.old_ = original(node);
    written.set(node, record);
    changed = node.nodeValue = record.text_ = text;
  }
};
