/**
 * Makes the packages that users install, below `dist/`: `faultline`, the whole platform, `@faultline/contracts`, the
 * checkers alone, and `@faultline/journal`, the log and the store on it. Node does not strip types below
 * `node_modules`, so they hold JavaScript and declarations. The layout of the sources is kept, so that a module finds
 * its files relative to itself in both places. `faultline check`, which people and pipelines call again and again, comes
 * a second time as one bundle that starts fast.
 *
 *     node scripts/pack.js [FOLDER]     tarballs go to FOLDER, by default dist/
 */

import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { rolldown } from "rolldown";

import { bundleCheck } from "./bundle-check.js";

const root = resolve(import.meta.dirname, "..");
const output = resolve(process.argv[2] ?? join(root, "dist"));

/** The doors of the contracts: those that ship, those of one's own, their expressions, and the types alone. */
const contractDoors = [
  [".", "./packages/contracts/src/index"],
  ["./expressions", "./packages/contracts/src/own/expression/index"],
  ["./model", "./packages/contracts/src/model/index"],
  ["./own", "./packages/contracts/src/own/index"],
];
const contractEntries = contractDoors.map(([, path]) => `${path.slice(2)}.ts`);
const contractExports = Object.fromEntries(
  contractDoors.map(([door, path]) => [door, { types: `${path}.d.ts`, default: `${path}.js` }]),
);
/** What `faultline contract explain` prints, the pages that other pages and helps point to, and examples. */
const contractFiles = globSync(
  [
    "docs/contracts/*.md",
    "docs/formats/evidence.md",
    "docs/reference/contracts.md",
    "docs/reference/check-report.schema.json",
    "packages/contracts/examples/*.yaml",
  ],
  { cwd: root },
);

const journalEntries = ["packages/journal/src/index.ts"];

/** Every file that starts a process or is imported by users. */
const platformEntries = [
  "packages/cli/src/main.ts",
  ...contractEntries,
  "packages/server/src/gateway/workers/worker.ts",
];

/** Files that modules read beside them. */
const platformFiles = [
  ...globSync("packages/server/src/**/*.{sql,json}", {
    cwd: root,
    exclude: (path) => path.includes("fixtures"),
  }),
  ...globSync("packages/console/dist/**/*.*", { cwd: root }),
  ...contractFiles,
  "packages/cli/bin/faultline.js",
  "README.md",
  "CHANGELOG.md",
  "LICENSE",
];

const versions = readManifest(".").version;

await pack({
  folder: "faultline",
  entries: platformEntries,
  files: platformFiles,
  declarations: ["packages/contracts"],
  manifest: {
    name: "faultline",
    version: versions,
    description: readManifest(".").description,
    bin: { faultline: "packages/cli/bin/faultline.js" },
    exports: contractExports,
    ...dependenciesOf(["contracts", "journal", "protocol", "server", "cli"], [readManifest(".")]),
  },
});

await pack({
  folder: "contracts",
  entries: contractEntries,
  files: ["LICENSE", ...contractFiles],
  declarations: ["packages/contracts"],
  manifest: {
    name: "@faultline/contracts",
    version: versions,
    description: readManifest("packages/contracts").description,
    sideEffects: false,
    exports: contractExports,
    ...dependenciesOf(["contracts"], []),
  },
});

await pack({
  folder: "journal",
  entries: journalEntries,
  files: [
    "LICENSE",
    "packages/journal/README.md",
    ...globSync("docs/formats/journal*.md", { cwd: root }),
  ],
  declarations: ["packages/journal"],
  manifest: {
    name: "@faultline/journal",
    version: versions,
    description: readManifest("packages/journal").description,
    // For `await using` and the native checksum.
    engines: { node: ">=24" },
    sideEffects: false,
    exports: {
      ".": {
        types: "./packages/journal/src/index.d.ts",
        default: "./packages/journal/src/index.js",
      },
    },
    ...dependenciesOf(["journal"], []),
  },
});

async function pack({ folder, entries, files, declarations, manifest }) {
  const target = join(output, folder);
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });

  const bundle = await rolldown({
    cwd: root,
    input: entries,
    platform: "node",
    // Third-party packages stay dependencies; our own become files of this one.
    external: (id) =>
      !id.startsWith(".") &&
      !id.startsWith("/") &&
      !id.startsWith("#") &&
      !id.startsWith("@faultline/"),
    tsconfig: join(root, "tsconfig.json"),
  });
  await bundle.write({
    dir: target,
    format: "esm",
    preserveModules: true,
    preserveModulesRoot: root,
    entryFileNames: "[name].js",
  });
  await bundle.close();

  if (entries === platformEntries) await bundleCheck(join(target, "packages/cli/check"));
  for (const file of files) copy(join(root, file), join(target, file));
  for (const name of declarations) writeDeclarations(name, target);
  writeFileSync(
    join(target, "package.json"),
    `${JSON.stringify({ license: "Apache-2.0", type: "module", engines: { node: ">=20" }, ...manifest }, undefined, 2)}\n`,
  );
  const { status, stdout } = spawnSync("npm", ["pack", "--silent", "--pack-destination", output], {
    cwd: target,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status !== 0) process.exit(status ?? 1);
  process.stdout.write(`${join(relative(process.cwd(), output), stdout.trim())}\n`);
}

function writeDeclarations(folder, target) {
  const { status } = spawnSync(
    join(root, "node_modules/.bin/tsc"),
    [
      "--project",
      join(root, folder, "tsconfig.json"),
      "--noEmit",
      "false",
      "--declaration",
      "--emitDeclarationOnly",
      "--rewriteRelativeImportExtensions",
      "--rootDir",
      root,
      "--outDir",
      target,
    ],
    { stdio: "inherit" },
  );
  if (status !== 0) process.exit(status ?? 1);
}

/** The third-party dependencies of our packages, merged; one version each, since the lock file has one. */
function dependenciesOf(names, further) {
  const manifests = [...names.map((name) => readManifest(`packages/${name}`)), ...further];
  const merge = (field) =>
    Object.fromEntries(
      manifests
        .flatMap((manifest) => Object.entries(manifest[field] ?? {}))
        .filter(([name]) => !name.startsWith("@faultline/"))
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  return {
    dependencies: merge("dependencies"),
    optionalDependencies: merge("optionalDependencies"),
  };
}

function readManifest(folder) {
  return JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
}

function copy(from, to) {
  if (!existsSync(from)) return;
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to);
}
