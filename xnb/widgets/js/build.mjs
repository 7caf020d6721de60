// Bundles each widget into ../static. Same sources and same versions give the same bytes.
import { build } from "esbuild";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const outdir = process.argv[2] ?? join(here, "..", "static");
const common = { bundle: true, minify: true, outdir, logLevel: "info", absWorkingDir: here };

await build({
  ...common,
  entryPoints: ["call.js", "incoming.js"],
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  loader: { ".svg": "text" },
  banner: { js: "// Built from xnb/widgets/js by build.mjs. Icons: Lucide, ISC license." },
});
await build({ ...common, entryPoints: ["xnb.css"], target: "es2022" });
