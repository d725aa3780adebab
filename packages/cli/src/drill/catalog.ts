/** The drills of the repository, as their `drill.yaml` describes them. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { PlatformError } from "@faultline/protocol";
import { type Static, Type } from "typebox";
import { Value } from "typebox/value";
import { parse } from "yaml";

const DrillManifest = Type.Object({
  name: Type.String(),
  summary: Type.String(),
  service: Type.String(),
  fault: Type.String(),
  repair: Type.String(),
  symptom: Type.String(),
  expected: Type.String(),
  actual: Type.String(),
  entry: Type.String(),
});

export interface Drill extends Static<typeof DrillManifest> {
  readonly folder: string;
}

const repositoryRoot = fileURLToPath(new URL("../../../../", import.meta.url));

/** All drills. Throws `not_found` in an installation that has none. */
export function listDrills(): Drill[] {
  const folder = join(repositoryRoot, "drills");
  if (!existsSync(folder)) {
    throw new PlatformError("not_found", "This installation has no drills.", {
      hint: "Drills come with the repository: clone it, run `npm start` there, and call this again in that folder.",
    });
  }
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, "drill.yaml")))
    .map((entry) => readDrill(join(folder, entry.name)));
}

/** The drill of that name. Throws `not_found` with the names there are. */
export function findDrill(name: string): Drill {
  const drills = listDrills();
  const drill = drills.find((candidate) => candidate.name === name);
  if (drill === undefined) {
    throw new PlatformError("not_found", `There is no drill '${name}'.`, {
      hint: `There are: ${drills.map((candidate) => candidate.name).join(", ")}.`,
    });
  }
  return drill;
}

/** The script that installs what a drill needs. */
export const installScript = join(repositoryRoot, "scripts", "install.js");

function readDrill(folder: string): Drill {
  const manifest: unknown = parse(readFileSync(join(folder, "drill.yaml"), "utf8"));
  return { ...Value.Parse(DrillManifest, manifest), folder };
}
