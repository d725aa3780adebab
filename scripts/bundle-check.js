/**
 * Bundles `faultline check` with all that it needs into a few files, so that it starts fast.
 *
 *     node scripts/bundle-check.js FOLDER
 */

import { join, resolve } from "node:path";
import { rolldown } from "rolldown";

const root = resolve(import.meta.dirname, "..");

/**
 * Writes the bundle into a folder beside `bin/` and `src/` of the CLI. Third-party packages are in it too; names are kept
 * for the sake of stack traces. The other commands stay where they are.
 */
export async function bundleCheck(folder) {
  const bundle = await rolldown({
    cwd: root,
    input: { main: "packages/cli/src/main.ts" },
    platform: "node",
    tsconfig: join(root, "tsconfig.json"),
    plugins: [
      {
        name: "other-commands",
        resolveId(id, importer) {
          const name = /^\.\/([a-z-]+)\.ts$/.exec(id)?.[1];
          const isCommand = importer?.endsWith("commands/index.ts") === true;
          if (!isCommand || name === undefined || name === "check") return null;
          return { id: `../src/commands/${name}.js`, external: true };
        },
      },
    ],
  });
  await bundle.write({
    dir: folder,
    format: "esm",
    minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
    entryFileNames: "[name].js",
    chunkFileNames: "[name].js",
  });
  await bundle.close();
}

const folder = process.argv[2];
if (process.argv[1] === import.meta.filename && folder !== undefined) await bundleCheck(folder);
