// Bundles each widget to one import-free module in static/, which is committed. Its own
// style sheet stands inside; widgets.css is that of all.
// `node build.mjs [folder]` writes elsewhere, so that a test can compare.

import { existsSync } from "node:fs";
import { copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? join(here, "static");
const common = { minify: true, legalComments: "none", charset: "utf8", logLevel: "warning" };
const browsers = ["chrome123", "firefox120", "safari17.5"];

/** NAME/NAME.js, and NAME/NAME.css where there is one, found in each folder. */
const source = (name, kind) => join(here, name, `${name}.${kind}`);
const names = (await readdir(here)).filter((name) => existsSync(source(name, "js"))).sort();
const minified = async (file) =>
  (await transform(await readFile(file, "utf8"), { ...common, loader: "css", target: browsers })).code.trim();

/** `dressed:NAME` is a widget's module that brings its own sheet along. */
const dressed = {
  name: "dressed",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^dressed:/ }, ({ path }) => ({ path: path.split(":")[1], namespace: "dressed" }));
    onLoad({ filter: /./, namespace: "dressed" }, async ({ path: name }) => ({
      contents: `import { dress } from "./core/dress.js";
        export { default } from "./${name}/${name}.js";
        dress("${name}", ${JSON.stringify(await minified(source(name, "css")))});`,
      resolveDir: here,
    }));
  },
};
const entry = (name) => ({ in: existsSync(source(name, "css")) ? `dressed:${name}` : source(name, "js"), out: name });

await mkdir(out, { recursive: true });
const { metafile } = await build({
  ...common,
  bundle: true,
  metafile: true,
  plugins: [dressed],
  entryPoints: names.map(entry),
  outdir: out,
  format: "esm",
  target: "es2022",
});
const notice = "/* lit-html (c) Google LLC, BSD-3-Clause: see THIRD-PARTY.txt */\n";
for (const [file, { inputs }] of Object.entries(metafile.outputs))
  if (Object.keys(inputs).some((name) => name.includes("/lit-html/")))
    await writeFile(file, notice + (await readFile(file, "utf8")));
await writeFile(join(out, "widgets.css"), `${await minified(join(here, "core/widgets.css"))}\n`);
await copyFile(join(here, "core/anchors.json"), join(out, "anchors.json"));
const lit = await readFile(join(here, "../../../node_modules/lit-html/LICENSE"), "utf8");
await writeFile(join(out, "THIRD-PARTY.txt"), `Most of the widgets' modules contain lit-html, as they say.\n\n${lit}`);
