/** Writes the generated pages of `docs/reference`. A test compares them with what this would write. */

import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { referenceFiles } from "./reference.ts";

const folder = fileURLToPath(new URL("../../../../docs/reference/", import.meta.url));

mkdirSync(folder, { recursive: true });
for (const [name, text] of Object.entries(referenceFiles()))
  writeFileSync(path.join(folder, name), text);
