// Bundles the front-end into static/dist: hashed names, a manifest for the templates, and gzip copies beside.
import { build } from "esbuild";
import { gzipSync } from "node:zlib";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

const made = "static/dist.new";
rmSync(made, { recursive: true, force: true });
mkdirSync(made, { recursive: true });

const { metafile } = await build({
  entryPoints: ["frontend/app.js", "frontend/app.css", "frontend/icon.svg"],
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
writeFileSync(join(made, "manifest.json"), JSON.stringify(manifest, null, 2) + "\n");

rmSync("static/dist", { recursive: true, force: true });
renameSync(made, "static/dist");
console.log(Object.values(manifest).join(" "));
