// The page's own document: finds the site's numbers in it, swaps them, keeps them swapped, puts them back.
import { emit } from "./events.js";
import { codeOf, quick, replaceBy, rewrite, shown, shownFor } from "./numbers.js";
import { moved } from "./visit.js";

const LEFT_ALONE =
  "head,script,style,noscript,textarea,option,code,[contenteditable],[data-leaseline-noswap],[data-calltrk-noswap]";

const roots = new Set([document]); // and shadow roots that the site showed us
let waiting = new Set(); // nodes to search, with all below them
const found = new Set(); // texts in which a number may stand, and elements over whose texts one is split
let changed;

const observer = new MutationObserver((records) => {
  // Until a number has been shown there is nothing to look for.
  if (shown) {
    requestAnimationFrame(work);
    for (const record of records)
      for (const node of record.type == "childList" ? record.addedNodes : [record.target]) waiting.add(node);
  }
  moved();
});

/** Follow what changes below a root: the document, or a shadow root. */
export const watch = (root) => {
  roots.add(root);
  observer.observe(root, { subtree: true, childList: true, characterData: true, attributeFilter: ["href"] });
};

/** Swap the site's numbers for these, wherever they stand and will stand. */
export const show = (numbers) => {
  replaceBy(numbers);
  watch(document);
  waiting = new Set(roots);
  work();
};

/**
 * Searches all that waits, which changes nothing; then writes, for 8 ms at most, and the rest in the next frame.
 * Writing while searching had the browser lay the page out again and again.
 */
const work = () => {
  for (const node of waiting) {
    mark(node);
    node.querySelectorAll?.("[data-leaseline-number],a").forEach(mark);
    search(node.documentElement || node);
  }
  waiting.clear();
  const end = Date.now() + 8;
  for (const node of found) {
    if (Date.now() > end) return requestAnimationFrame(work);
    found.delete(node);
    look(node);
  }
  if (changed) changed = emit("swap");
};

/**
 * Asks for all the text below a node at once, and goes down only where a number stands in it: visiting every node
 * takes ten times as long, and there is nothing in nearly all of them. Where no child has it all, it is split.
 */
const search = (node) =>
  quick.test(node.textContent) && ([...node.childNodes].filter(search)[0] || found.add(node));

/** What is ours by an attribute. */
const mark = (element) => {
  const hook = shownFor(element.getAttribute?.("data-leaseline-number") + "");
  if (hook) {
    if (!element.firstChild) element.append("");
    fill(element, hook.display + codeOf(hook));
  }
  if (isTel(element))
    for (const name of ["title", "aria-label", "href"]) {
      const attribute = element.getAttributeNode(name);
      if (attribute) put(attribute, rewrite(original(attribute), name == "href"));
    }
};

export const isTel = (link) => /^(tel|callto):/.test(link.href);

/** Writes the number into a text, or over the texts of a short element; or puts back what stood there. */
const look = (node) => {
  const record = node._ll;
  if (record?.text_ === node.nodeValue) {
    if (record.shown_ == shown) return;
    node = record.whole_;
  } else if (node.firstChild && node.textContent.length > 40) return; // more stands there than a number
  const texts = textsOf(node);
  const old = texts.map(original).join("");
  const text = rewrite(old);
  if (text == old) texts.forEach((each) => put(each, original(each)));
  else fill(node, text);
};

const textsOf = (node) => (node.nodeType == 3 ? [node] : [...node.childNodes].flatMap(textsOf));

/** Writes into the first text of an element, and empties the others. */
const fill = (element, text) => {
  textsOf(element).forEach((each, place) => {
    put(each, place ? "" : text).whole_ = element;
  });
};

/** What stood there before us. */
const original = ({ nodeValue, _ll }) => (_ll?.text_ == nodeValue ? _ll.old_ : nodeValue);

/** Writes, unless the place is to be left alone, or somebody writes against us. */
const put = (node, text) => {
  // Beside the text or attribute: what we wrote, for which numbers, what stood there, how often lately.
  const record = (node._ll ||= {});
  record.shown_ = shown;
  if (node.nodeValue != text && !(node.ownerElement || node.parentElement)?.closest(LEFT_ALONE)) {
    const now = Date.now();
    if (!(now < record.until_)) {
      record.until_ = now + 1e4;
      record.times_ = 0;
    }
    if (record.times_++ < 5) {
      record.old_ = original(node);
      node.nodeValue = record.text_ = text;
      changed = 1;
    }
  }
  return record;
};
