// Telephone numbers in running text: which of the site's stand there, and what is written in their place.

const known = {}; // digits -> [the page's own number in E.164, the variant it is]
export let shown; // the page's own number in E.164 -> what stands in its place, as the server answered
export let quick; // where their digits stand
let pattern;

/** A number rid of all formatting; letters of a vanity number stay. */
const strip = (text) => text.replace(/\W/g, "").toUpperCase();

/** What is shown in place of this number, if it is the site's. */
export const shownFor = (text) => shown[known[strip(text)]?.[0]];

/** Find these digits from now on, and take them for the page's own number. */
export const learn = (e164, variants) =>
  variants.forEach((digits, variant) => (known[digits] ||= [e164, variant]));

/** Write these in place of the page's own numbers. Those shown before are still found: copies of them may stand about. */
export const replaceBy = (numbers) => {
  shown = {};
  for (const number of numbers) {
    shown[number.from] = number;
    learn(number.from, number.variants);
  }
  // What people put between digits: spaces of any width, brackets, dots, slashes, hyphens of every kind. Two numbers
  // in a row have a comma between them, if anything.
  const between = "(?:[^\\w,]|\\(0\\)|%20)*";
  const spellings = Object.keys(known)
    .map((digits) => [...digits].join(between))
    .join("|");
  quick = RegExp(spellings, "i");
  pattern = RegExp("(^|[^\\w+]|(?=\\+))(\\+|00)?(" + spellings + ")(?!-?[\\d@]|\xa0#)", "gi");
};

/** What follows a number where the caller is to tell a code: dialled by itself in a link, read in a text. */
export const codeOf = ({ code }, inLink) => (code ? (inLink ? ",," : "\xa0#") + code : "");

/** The text with the site's numbers replaced, each in the format in which it stood. */
export const rewrite = (text, inLink) =>
  text.replace(pattern, (match, before, sign = "", core, at) => {
    core = core.replace(/%20|\(0\)/g, "");
    const digits = strip(core);
    const [e164, variant] = known[digits];
    const number = shown[e164];
    // Behind + or 00 comes a country's code. Of the three variants in digits only the first begins with ours; the
    // others may be another country's, be it that the code is read out of their digits or stands before them.
    const foreign = sign ? variant % 3 : /(\+\W*|\b00)[1-9]\d?\d?[^1-9a-z]*$/.test(text.slice(0, at + 1));
    if (!number || foreign) return match;
    const own = number.variants[variant];
    let next = 0;
    if (own?.length == digits.length) core = core.replace(/\d/g, () => own[next++]);
    else {
      core = number[inLink ? "e164" : sign ? "international" : "display"];
      sign = "";
    }
    return before + sign + core + codeOf(number, inLink);
  });
