/** Reads an array as NumPy saves it: a magic, a header that is a literal of Python, and the values. */

import type { Measured } from "../../model/training.ts";
import { cutText } from "../../text/cut-text.ts";
import { EvidenceError } from "../evidence-error.ts";
import type { FileContent, FormatInput } from "../format.ts";
import { measuredOf, present } from "../training/named-values.ts";
import { outputLimits } from "./limits.ts";

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** Whether bytes begin as a saved array. */
export function startsAsArray(bytes: Uint8Array): boolean {
  return magic.every((byte, index) => bytes[index] === byte);
}

/** Reads the array as one output, named after its file; its folder or its ending says whether it is from before or after. */
export function readArray({ bytes, name, folder }: FormatInput): FileContent {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { text, end } = headerOf(bytes, view);
  const shape = shapeOf(text);
  const isFortran = /'fortran_order'\s*:\s*True/.test(text);
  const kind = /'descr'\s*:\s*'([<>|=])([fiub])(\d{1,2})'/.exec(text);
  const read = kind === null ? undefined : readerOf(view, kind);
  if (shape === undefined || read === undefined || (isFortran && shape.length > 1)) {
    throw new EvidenceError("The array is of a kind that is not read.", {
      expected: "numbers of one type in the order of C",
    });
  }
  const count = shape.reduce((product, length) => product * length, 1);
  if (!Number.isSafeInteger(count) || bytes.byteLength - end < count * read.size) {
    throw new EvidenceError("The array is cut.", { expected: `${count} values` });
  }
  const keptCount = Math.min(count, outputLimits.valueCountMax);
  const places = Array.from({ length: keptCount }, (_, index) =>
    Math.floor((index * count) / keptCount),
  );
  const values = places.map(
    (place): Measured => measuredOf(read.at(end + place * read.size)) ?? "NaN",
  );
  const stem = name.replace(/\.npy$/i, "");
  const ending = /^(.*?)[._-](before|after)$/i.exec(stem);
  const place = /^(?:before|after)$/i.exec(folder ?? "")?.[0];
  const role = roleOf((ending?.[2] ?? place)?.toLowerCase());
  const output = cutText(ending?.[1] ?? stem, 256);
  return {
    contents: [
      present({
        kind: "outputs" as const,
        name: output,
        role,
        outputs: [
          present({
            name: output,
            shape,
            dtype: read.dtype,
            values,
            places: keptCount === count ? undefined : places,
          }),
        ],
      }),
    ],
    notes:
      keptCount === count ? [] : [`Of ${count} values, ${keptCount} were kept, evenly chosen.`],
  };
}

function roleOf(word: string | undefined): "before" | "after" | undefined {
  return word === "before" || word === "after" ? word : undefined;
}

function headerOf(bytes: Uint8Array, view: DataView): { text: string; end: number } {
  const isLong = (bytes[6] ?? 0) >= 2;
  const start = isLong ? 12 : 10;
  if (bytes.length < start) throw cutHeader();
  const length = isLong ? view.getUint32(8, true) : view.getUint16(8, true);
  const end = start + length;
  if (length > outputLimits.headerLengthMax || end > bytes.length) throw cutHeader();
  return { text: String.fromCharCode(...bytes.subarray(start, Math.min(end, start + 1_024))), end };
}

function cutHeader(): EvidenceError {
  return new EvidenceError("The header of the array is cut or too long.", {
    expected: `a header of at most ${outputLimits.headerLengthMax} bytes`,
  });
}

function shapeOf(text: string): number[] | undefined {
  const list = /'shape'\s*:\s*\(([\d\s,]{0,512})\)/.exec(text)?.[1];
  const parts = list?.split(",").map((part) => part.trim());
  const lengths = parts?.filter((part) => part !== "").map(Number);
  if (lengths === undefined || lengths.length > 32) return undefined;
  return lengths.every((length) => Number.isSafeInteger(length)) ? lengths : undefined;
}

interface ValueReader {
  readonly dtype: string;
  readonly size: number;
  at(offset: number): number;
}

function readerOf(
  view: DataView,
  [, order, kind, digits]: RegExpExecArray,
): ValueReader | undefined {
  const isLittle = order !== ">";
  const readers: Readonly<Record<string, ValueReader>> = {
    f2: { dtype: "float16", size: 2, at: (offset) => halfOf(view.getUint16(offset, isLittle)) },
    f4: { dtype: "float32", size: 4, at: (offset) => view.getFloat32(offset, isLittle) },
    f8: { dtype: "float64", size: 8, at: (offset) => view.getFloat64(offset, isLittle) },
    i1: { dtype: "int8", size: 1, at: (offset) => view.getInt8(offset) },
    i2: { dtype: "int16", size: 2, at: (offset) => view.getInt16(offset, isLittle) },
    i4: { dtype: "int32", size: 4, at: (offset) => view.getInt32(offset, isLittle) },
    i8: { dtype: "int64", size: 8, at: (offset) => Number(view.getBigInt64(offset, isLittle)) },
    u1: { dtype: "uint8", size: 1, at: (offset) => view.getUint8(offset) },
    u2: { dtype: "uint16", size: 2, at: (offset) => view.getUint16(offset, isLittle) },
    u4: { dtype: "uint32", size: 4, at: (offset) => view.getUint32(offset, isLittle) },
    b1: { dtype: "bool", size: 1, at: (offset) => view.getUint8(offset) },
  };
  const key = `${kind ?? ""}${digits ?? ""}`;
  return Object.hasOwn(readers, key) ? readers[key] : undefined;
}

/** A number of half precision, by IEEE 754. */
function halfOf(bits: number): number {
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1_024) * 2 ** (exponent - 15);
}
