// Bundles each widget to one import-free module in static/, which is committed.
// `node build.mjs [folder]` writes elsewhere, so that a test can compare.

import { existsSync } from "node:fs";
import { copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? join(here, "static");
const folders = (await readdir(here)).sort();
const entryPoints = folders.map((name) => join(here, name, `${name}.js`)).filter((file) => existsSync(file)); // NAME/NAME.js

const common = { bundle: true, minify: true, legalComments: "none", charset: "utf8", logLevel: "warning" };
await mkdir(out, { recursive: true });
await build({
  ...common,
  entryPoints,
  entryNames: "[name]",
  outdir: out,
  format: "esm",
  target: "es2022",
  banner: { js: "/* lit-html (c) Google LLC, BSD-3-Clause: see THIRD-PARTY.txt */" },
});
await build({
  ...common,
  entryPoints: [join(here, "core/widgets.css")],
  outdir: out,
  target: ["chrome123", "firefox120", "safari17.5"],
});
await copyFile(join(here, "core/anchors.json"), join(out, "anchors.json"));
const lit = await readFile(join(here, "../../../node_modules/lit-html/LICENSE"), "utf8");
await writeFile(join(out, "THIRD-PARTY.txt"), `The widgets' modules contain lit-html.\n\n${lit}`);
