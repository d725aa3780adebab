/** The table of contents of a `.faultline` file. */

import { type Static, Type } from "typebox";
import { Value } from "typebox/value";

import { EvidenceId, EvidenceSource } from "../model/evidence.ts";
import { EvidenceError } from "../readers/evidence-error.ts";
import { snapshotFileLimits } from "../readers/limits.ts";
import { parseForeignJson } from "../text/foreign-json.ts";

export const snapshotFormatName = "faultline-snapshot";
export const snapshotFormatVersion = 1;
export const manifestPath = "manifest.json";

export const ManifestEntry = Type.Object(
  {
    /** SHA-256 of the entry's bytes, which are the canonical JSON of the content. */
    id: EvidenceId,
    path: Type.String({ pattern: "^evidence/[0-9a-f]{64}\\.json$" }),
    kind: Type.String({ maxLength: 64 }),
    mediaType: Type.Literal("application/json"),
    bytes: Type.Integer({ minimum: 2, maximum: snapshotFileLimits.entryBytesMax }),
    source: EvidenceSource,
  },
  { additionalProperties: false },
);
export type ManifestEntry = Static<typeof ManifestEntry>;

export const Manifest = Type.Object(
  {
    format: Type.Literal(snapshotFormatName),
    formatVersion: Type.Literal(snapshotFormatVersion),
    evidence: Type.Array(ManifestEntry, { maxItems: snapshotFileLimits.entryCountMax }),
  },
  { additionalProperties: false },
);
export type Manifest = Static<typeof Manifest>;

/** Where the evidence of an id lies in the file. */
export function entryPathOf(id: EvidenceId): string {
  return `evidence/${id.slice("sha256:".length)}.json`;
}

/** Reads the manifest; refuses other formats and newer versions before it looks at anything else. */
export function readManifest(text: string): Manifest {
  let value: unknown;
  try {
    value = parseForeignJson(text);
  } catch (cause) {
    throw new EvidenceError("The manifest of the snapshot is not JSON.", {
      code: "snapshot_corrupt",
      expected: "a JSON manifest",
      where: manifestPath,
      cause,
    });
  }
  refuseOtherVersions(value);
  if (Value.Check(Manifest, value)) return value;
  const fault = Value.Errors(Manifest, value)[0];
  throw new EvidenceError(
    `The manifest of the snapshot breaks its schema: ${fault?.message ?? "unknown fault"}.`,
    {
      code: "snapshot_corrupt",
      expected: `a manifest of format version ${snapshotFormatVersion}`,
      where: `${manifestPath}${fault?.instancePath ?? ""}`,
    },
  );
}

function refuseOtherVersions(value: unknown): void {
  const fields: Record<string, unknown> =
    typeof value === "object" && value !== null ? { ...value } : {};
  if (fields["format"] !== snapshotFormatName) {
    throw new EvidenceError("The archive is not a Faultline snapshot.", {
      expected: `a manifest with "format": "${snapshotFormatName}"`,
      where: `${manifestPath}/format`,
    });
  }
  const version = fields["formatVersion"];
  if (typeof version === "number" && version > snapshotFormatVersion) {
    throw new EvidenceError(
      `The snapshot has format version ${version}; this Faultline reads versions up to ${snapshotFormatVersion}. Use a newer Faultline.`,
      {
        expected: `format version ${snapshotFormatVersion}`,
        where: `${manifestPath}/formatVersion`,
      },
    );
  }
}
