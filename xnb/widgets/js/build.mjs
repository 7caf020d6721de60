// Bundles each widget into ../static. Same sources and same versions give the same bytes.
// Each bundle begins with a hash of its sources, so that a stale one is noticed without node.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const outdir = process.argv[2] ?? join(here, "..", "static");

const hash = createHash("sha256");
const names = readdirSync(here, { recursive: true }).map((name) => name.split(sep).join("/"));
for (const name of names.sort()) {
  if (name.startsWith("node_modules/")) continue;
  if (!/\.(js|mjs|css)$/.test(name) && name !== "package.json") continue;
  if (name.endsWith(".test.js")) continue;
  hash.update(name).update("\0").update(readFileSync(join(here, name))).update("\0");
}
const stamp = `Built from xnb/widgets/js by build.mjs, sources ${hash.digest("hex")}.`;

const common = {
  bundle: true, minify: true, outdir, logLevel: "warning", absWorkingDir: here,
  charset: "utf8", legalComments: "none", target: "es2022",
};
await build({
  ...common,
  entryPoints: ["call.js", "group.js", "incoming.js", "recording.js"],
  format: "esm",
  loader: { ".svg": "text" },
  banner: { js: `// ${stamp} Icons: Lucide (ISC license). Charts in call.js: uPlot (MIT license).` },
});
await build({ ...common, entryPoints: ["xnb.css", "group.css", "recording.css"], banner: { css: `/* ${stamp} */` } });
