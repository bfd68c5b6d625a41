// The visitor script in as few bytes as gzip can be brought to: what every page of every site loads counts twice.
//
// esbuild bundles it and shortens the names. gzip replaces what it has seen before, the nearer the cheaper; so
// the functions, whose order means nothing, are put in the order that packs best, found by trying. The same
// source always gives the same bytes.
import { build, transform } from "esbuild";
import { gzipSync } from "node:zlib";

const STARTS = 6;
const TRIES = 3000; // from each start

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
  const rest = small.filter((text) => !text.startsWith("var "));
  const joined = (order) => `(()=>{var ${[...order, ...values].map(declared).join(",")};${rest.join("")}})();\n`;
  return joined(best(functions, (order) => gzipSync(joined(order), { level: 9 }).length));
}

/** `let` is as good as `const` where esbuild has made sure that nobody writes, and two letters shorter. */
const shorten = async (text, target) => {
  const { code } = await transform(text.replace(/\bconst\b/g, "let"), { minifySyntax: true, minifyWhitespace: true, target, charset: "utf8" });
  return code.trim();
};

const isFunction = (text) => /^var \w+=(async ?)?(\w+|\([^()]*\))=>/.test(text);
const declared = (text) => text.replace(/^var |;$/g, "");

/** The best order that several searches find: each ends where no small step leads further. */
function best(order, cost) {
  const found = Array.from({ length: STARTS }, (_, start) => search(order, cost, numbers(start + 1)));
  return found.sort((one, other) => cost(one) - cost(other))[0];
}

/** Moves a few neighbours at a time to another place, and keeps what costs no more. */
function search(order, cost, below) {
  let lowest = cost(order);
  for (let tries = 0; tries < TRIES; tries++) {
    const moved = [...order];
    const few = moved.splice(below(moved.length), 1 + below(4));
    moved.splice(below(moved.length + 1), 0, ...few);
    const now = cost(moved);
    if (now > lowest) continue;
    lowest = now;
    order = moved;
  }
  return order;
}

/** Random numbers below a limit, the same each time (Park and Miller's generator). */
function numbers(seed) {
  let state = seed * 7919;
  return (limit) => {
    state = (state * 16807) % 2147483647;
    return state % limit;
  };
}
