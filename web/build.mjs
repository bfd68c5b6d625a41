// Bundles the front-end into static/dist: hashed names, a manifest for the templates, and gzip copies beside.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { squeeze } from "./squeeze.mjs";

const made = "static/dist.new";
rmSync(made, { recursive: true, force: true });
mkdirSync(made, { recursive: true });

const { metafile } = await build({
  entryPoints: [
    "frontend/app.js", "frontend/app.css", "frontend/overview.js", "frontend/overview.css", "frontend/paths.css",
    "frontend/reports.js", "frontend/reports.css", "frontend/api.js", "frontend/api.css", "frontend/icon.svg",
  ],
  outdir: made,
  entryNames: "[name]-[hash]",
  bundle: true,
  minify: true,
  format: "esm",
  target: ["chrome111", "firefox113", "safari16.4"],
  loader: { ".svg": "copy" },
  metafile: true,
  legalComments: "none",
});

const manifest = {};
for (const [path, output] of Object.entries(metafile.outputs)) {
  if (!output.entryPoint) continue;
  manifest[basename(output.entryPoint)] = basename(path);
  writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
}

// The script for websites. The server puts a site's configuration where __CONFIG__ stands, and packs it then.
// What it takes: Chrome 85, Safari 14, Firefox 79, all of 2020.
const visitor = await squeeze("frontend/visitor/visitor.js", "es2021");
if (visitor.split("__CONFIG__").length !== 2) throw new Error("__CONFIG__ must stand in the script once");
const hash = createHash("sha256").update(visitor).digest("hex").slice(0, 8).toUpperCase();
manifest["visitor.js"] = `visitor-${hash}.js`;
writeFileSync(join(made, manifest["visitor.js"]), visitor);

// The callback button, served after it for the sites that call back.
const { outputFiles } = await build({
  entryPoints: ["frontend/callback/callback.js"], bundle: true, write: false, minify: true, format: "iife",
  target: ["chrome111", "firefox113", "safari16.4"], legalComments: "none", charset: "utf8",
});
const callback = outputFiles[0].text;
if (callback.split("__CALLBACK__").length !== 2) throw new Error("__CALLBACK__ must stand in the button once");
const own = createHash("sha256").update(callback).digest("hex").slice(0, 8).toUpperCase();
manifest["callback.js"] = `callback-${own}.js`;
writeFileSync(join(made, manifest["callback.js"]), callback);

writeFileSync(join(made, "manifest.json"), JSON.stringify(manifest, null, 2) + "\n");

rmSync("static/dist", { recursive: true, force: true });
renameSync(made, "static/dist");
console.log(Object.values(manifest).join(" "));
