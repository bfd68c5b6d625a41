// Telephone numbers in running text: which of the site's stand there, and what is written in their place.

const known = {}; // digits -> [the page's own number in E.164, the variant it is]
let shown; // the page's own number in E.164 -> what stands in its place, as the server answered
let pattern, all;

/** A number rid of all formatting; letters of a vanity number stay. */
const strip = (text) => text.replace(/\W/g, "").toUpperCase();

/** What is shown in place of this number, if it is the site's. */
export const shownFor = (text) => shown[known[strip(text)]?.[0]];

/** Whether this could be a piece of a number that is split over several elements. */
export const isPiece = (text) => all.includes(strip(text));

/** Find these digits from now on, and take them for the page's own number. */
export const learn = (e164, variants) =>
  variants.forEach((digits, variant) => (known[strip(digits)] ||= [e164, variant]));

/** Write these in place of the page's own numbers. Those shown before are still found: copies of them may stand about. */
export const replaceBy = (numbers) => {
  shown = {};
  for (const number of numbers) {
    shown[number.from] = number;
    learn(number.from, number.variants);
  }
  // What people put between digits: spaces of any width, brackets, dots, slashes, hyphens of every kind.
  const wanted = Object.keys(known);
  all = wanted + "";
  const spellings = wanted.map((digits) =>
    [...digits].join("(?:[\\s(-*--/\\u2000-\\u2fff]|\\(0\\)|%20)*"),
  );
  pattern = RegExp(`(^|[^\\w+])(\\+|00)?(${spellings.join("|")})(?!-?[\\d@]|\xa0#)`, "gi");
};

/** What follows a number where the caller is to tell a code: dialled by itself in a link, read in a text. */
export const codeOf = ({ code }, inLink) => (code ? (inLink ? ",," : "\xa0#") + code : "");

/** The text with the site's numbers replaced, each in the format in which it stood. */
export const rewrite = (text, inLink) =>
  text.replace(pattern, (match, before, sign = "", core) => {
    core = core.replace(/%20|\(0\)/g, "");
    const [e164, variant] = known[strip(core)];
    const number = shown[e164];
    if (!number) return match;
    const digits = number.variants[variant];
    let next = 0;
    if (digits?.length == strip(core).length) core = core.replace(/\d/g, () => digits[next++]);
    else {
      core = number[inLink ? "e164" : sign ? "international" : "display"];
      sign = "";
    }
    return before + sign + core + codeOf(number, inLink);
  });
