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
/** The NAME/NAME.js or NAME/NAME.css that are there. */
const found = (kind) => folders.map((name) => join(here, name, `${name}.${kind}`)).filter((file) => existsSync(file));

const common = { bundle: true, minify: true, legalComments: "none", charset: "utf8", logLevel: "warning" };
await mkdir(out, { recursive: true });
const { metafile } = await build({
  ...common,
  metafile: true,
  entryPoints: found("js"),
  entryNames: "[name]",
  outdir: out,
  format: "esm",
  target: "es2022",
});
const notice = "/* lit-html (c) Google LLC, BSD-3-Clause: see THIRD-PARTY.txt */\n";
for (const [file, { inputs }] of Object.entries(metafile.outputs))
  if (Object.keys(inputs).some((name) => name.includes("/lit-html/")))
    await writeFile(file, notice + (await readFile(file, "utf8")));
// One sheet for all of them: a notebook and a page keep it once.
const sheets = [join(here, "core/widgets.css"), ...found("css")];
await build({
  ...common,
  stdin: {
    contents: sheets.map((file) => `@import ${JSON.stringify(file)};`).join("\n"),
    loader: "css",
    resolveDir: here,
  },
  outfile: join(out, "widgets.css"),
  target: ["chrome123", "firefox120", "safari17.5"],
});
await copyFile(join(here, "core/anchors.json"), join(out, "anchors.json"));
const lit = await readFile(join(here, "../../../node_modules/lit-html/LICENSE"), "utf8");
await writeFile(join(out, "THIRD-PARTY.txt"), `Most of the widgets' modules contain lit-html, as they say.\n\n${lit}`);
