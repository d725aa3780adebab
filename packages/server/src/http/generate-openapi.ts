/** Writes the generated reference: `docs/reference/openapi.json` and `docs/reference/errors.md`. A test compares both. */

import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { errorsReference, openApiReference } from "./reference.ts";

const folder = fileURLToPath(new URL("../../../../docs/reference/", import.meta.url));

mkdirSync(folder, { recursive: true });
writeFileSync(path.join(folder, "openapi.json"), openApiReference());
writeFileSync(path.join(folder, "errors.md"), errorsReference());
