/** The header of a safetensors file: eight bytes of length, then JSON. */

import { isFields } from "../../model/fields.ts";
import type { ModelTensor } from "../../model/model-release.ts";
import { EvidenceError } from "../evidence-error.ts";
import type { FileContent } from "../format.ts";
import { decodeText, parseJson } from "../text.ts";
import { modelLimits } from "./limits.ts";

const prefixBytes = 8;

/** Whether bytes begin with a length that a header can have, and then with JSON. */
export function looksLikeSafetensors(bytes: Uint8Array): boolean {
  if (bytes.length < prefixBytes + 2 || bytes[prefixBytes] !== 0x7b) return false;
  const length = headerLengthOf(bytes);
  const next = bytes[prefixBytes + 1];
  return (
    length > 1 &&
    length <= modelLimits.headerBytesMax &&
    (next === 0x22 || next === 0x7d || next === 0x20 || next === 0x0a)
  );
}

function headerLengthOf(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Number(view.getBigUint64(0, true));
}

/** Reads a header, once it is there. */
export function readSafetensorsHeader(
  bytes: Uint8Array,
  file: string,
): FileContent | { readonly bytesMin: number } {
  if (bytes.length < prefixBytes) return { bytesMin: prefixBytes };
  const end = prefixBytes + headerLengthOf(bytes);
  if (bytes.length < end) return { bytesMin: end };
  const header = parseJson(decodeText(bytes.subarray(prefixBytes, end)));
  if (!isFields(header)) throw broken("an object of JSON");
  const metadata = isFields(header["__metadata__"]) ? header["__metadata__"] : {};
  const tensors = Object.entries(header)
    .filter(([name]) => name !== "__metadata__")
    .map(([name, value]) => tensorOf(name, value));
  if (tensors.length > modelLimits.tensorCountMax) throw broken("fewer tensors");
  const isShort = JSON.stringify(metadata).length <= modelLimits.settingLengthMax;
  const part = {
    kind: "tensors" as const,
    file,
    form: "safetensors" as const,
    tensors,
    metadata: isShort ? metadata : {},
  };
  return { modelFiles: [{ parts: [part] }], notes: [] };
}

function tensorOf(name: string, value: unknown): ModelTensor {
  const fields = isFields(value) ? value : {};
  const dtype = fields["dtype"];
  const shape: unknown = fields["shape"];
  const isShape = Array.isArray(shape) && shape.length <= 16 && shape.every(isCount);
  if (typeof dtype !== "string" || dtype.length > 32 || name.length > 512 || !isShape) {
    throw broken(`a dtype and a shape of ${name.slice(0, 128)}`);
  }
  return { name, dtype, shape };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function broken(expected: string): EvidenceError {
  return new EvidenceError("The header of the safetensors file is broken.", {
    expected,
    where: `byte ${prefixBytes}`,
  });
}
