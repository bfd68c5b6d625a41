// The visitor script in as few bytes as gzip can be brought to: what every page of every site loads counts twice.
//
// esbuild bundles it and shortens the names. gzip replaces what it has seen before, the nearer the cheaper; so
// what means nothing, the order of the functions and who has which short name, is chosen such that it packs best,
// found by trying. The same source always gives the same bytes.
import { build, transform } from "esbuild";
import { gzipSync } from "node:zlib";

const TRIES = 70000; // ten seconds; a second search from elsewhere found the same

/** The bundle of an entry as one IIFE. Names that end in an underscore are the script's own, and shortened. */
export async function squeeze(entry, target) {
  const { outputFiles } = await build({
    entryPoints: [entry], bundle: true, write: false, target, format: "esm",
    minifyIdentifiers: true, mangleProps: /_$/, legalComments: "none", charset: "utf8",
  });
  const statements = outputFiles[0].text.split(/^(?=var |if )/m).filter((text) => /^(var|if) /.test(text));
  const small = await Promise.all(statements.map((text) => shorten(text, target)));
  const functions = small.filter((text) => isFunction(text));
  const values = small.filter((text) => text.startsWith("var ") && !isFunction(text));
  const rest = small.filter((text) => !text.startsWith("var ")); // one: the script's beginning
  return search([...functions, ...values, ...rest].map(declared).map(tokens), functions.length, values.length, numbers(1));
}

/** `let` is as good as `const` where esbuild has made sure that nobody writes, and two letters shorter. */
const shorten = async (text, target) => {
  const { code } = await transform(text.replace(/\bconst\b/g, "let"), {
    minifySyntax: true, minifyWhitespace: true, target, charset: "utf8",
  });
  return code.trim();
};

const isFunction = (text) => /^var \w+=(async ?)?(\w+|\([^()]*\))=>/.test(text);
const declared = (text) => text.replace(/^var |;$/g, "");

/**
 * A statement cut up: every second piece is the name of a variable. For simplicity's sake the script has no template
 * literals, and no object that is written or taken apart by names as short as those that esbuild gives.
 */
function tokens(text) {
  // Strings, patterns, words; a word with its dot is a property, but for the third dot of "...".
  const pieces = text.split(/("(?:\\.|[^"\\])*"|(?<=[(,=:?&|!>])\/(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\])+\/\w*|(?:(?<!\.\.)\.)?[\w$]+)/);
  const cut = [""];
  pieces.forEach((piece, place) => {
    const isKey = /[{,]$/.test(pieces[place - 1]) && pieces[place + 1]?.startsWith(":");
    if (/^[a-z_$][\w$]?$/i.test(piece) && !/^(do|if|in|of)$/.test(piece) && !isKey) cut.push(piece, "");
    else cut[cut.length - 1] += piece;
  });
  return cut;
}

const size = (text) => gzipSync(text, { level: 9 }).length;

/** The whole text, after many small steps: those that make it pack worse are taken back. */
function search(statements, functions, values, below) {
  const shared = statements.slice(0, functions + values).map((cut) => cut[1]);
  const own = [...new Set(statements.flatMap((cut) => cut.filter((name, place) => place % 2 && !shared.includes(name))))];
  const sharedNow = new Map(shared.map((name) => [name, name]));
  const ownNow = statements.map(() => new Map(own.map((name) => [name, name])));
  let order = [...statements.keys()].slice(0, functions);
  const spell = (at) =>
    statements[at].map((piece, place) => (place % 2 ? (sharedNow.get(piece) ?? ownNow[at].get(piece)) : piece)).join("");
  const joined = () => {
    const declared = [...order, ...Array.from({ length: values }, (_, at) => functions + at)].map(spell);
    return `(()=>{var ${declared.join(",")};${spell(statements.length - 1)}})();\n`;
  };
  const swap = (names, one, other) => {
    const name = names.get(one);
    names.set(one, names.get(other)).set(other, name);
  };
  const steps = [
    () => {
      const [before, moved] = [order, [...order]];
      const few = moved.splice(below(moved.length), 1 + below(4));
      moved.splice(below(moved.length + 1), 0, ...few);
      order = moved;
      return () => (order = before);
    },
    () => {
      const pair = [shared[below(shared.length)], shared[below(shared.length)]];
      swap(sharedNow, ...pair);
      return () => swap(sharedNow, ...pair);
    },
    () => {
      const [names, ...pair] = [ownNow[below(statements.length)], own[below(own.length)], own[below(own.length)]];
      swap(names, ...pair);
      return () => swap(names, ...pair);
    },
  ];
  let lowest = size(joined());
  for (let tries = 0; tries < TRIES; tries++) {
    const takeBack = steps[below(steps.length)]();
    const now = size(joined());
    if (now > lowest) takeBack();
    else lowest = now;
  }
  return joined();
}

/** Random numbers below a limit, the same each time (Park and Miller's generator). */
function numbers(seed) {
  let state = seed * 7919;
  return (limit) => {
    state = (state * 16807) % 2147483647;
    return state % limit;
  };
}
