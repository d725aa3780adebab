/** Reads a bundle from a file of YAML or JSON, and tells everything that is wrong with it at once, each with its place. */

import { readFile } from "node:fs/promises";
import { nearestName, printable } from "@faultline/contracts";
import { nearestNode, pathOfPointer, placeWithin } from "@faultline/contracts/own";
import { BundleDocument, bundleLimits } from "@faultline/protocol";
import { checkBundle } from "@faultline/server/catalog/index.ts";
import type { TSchema } from "typebox";
import { Value } from "typebox/value";
import { type Document, LineCounter, parseDocument } from "yaml";

import { UsageError } from "../command.ts";

/** Bytes of a file: comments and layout may take as much as the bundle itself. */
const fileBytesMax = bundleLimits.documentBytesMax * 2;
const aliasCountMax = 100;
const problemCountMax = 50;

/** The bundle of a file. Throws a `UsageError` that lists what is wrong with it. */
export async function readBundleFile(path: string): Promise<BundleDocument> {
  const source = await readSource(path);
  const problems = new Problems(path, source);
  const document = problems.read();
  if (document !== undefined) return document;
  throw new UsageError(["This bundle cannot be used.", ...problems.lines].join("\n"));
}

/** Where a fault that the server found lies in a file; its places are JSON pointers into the document. */
export function placeInSource(source: string, pointer: string): string {
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, merge: false });
  return placeWithin(nearestNode(document, pathOfPointer(pointer)), 0, { source, lines });
}

/** The text of a file. Throws a `UsageError` when it cannot be read. */
export async function readSource(path: string): Promise<string> {
  let source: string;
  try {
    source = await readFile(path, "utf8");
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    throw new UsageError(`The bundle ${path} cannot be read: ${cause.message}`);
  }
  if (Buffer.byteLength(source) <= fileBytesMax) return source;
  throw new UsageError(
    `${path} is too large; a file of a bundle has at most ${fileBytesMax} bytes.`,
  );
}

class Problems {
  readonly lines: string[] = [];
  readonly #path: string;
  readonly #source: string;
  readonly #places = new LineCounter();
  readonly #document: Document;

  constructor(path: string, source: string) {
    this.#path = path;
    this.#source = source;
    this.#document = parseDocument(source, { lineCounter: this.#places, merge: false });
  }

  /** The document; `undefined` when something is wrong, which `lines` then say. */
  read(): BundleDocument | undefined {
    for (const { message, pos } of this.#document.errors) {
      const { line, col } = this.#places.linePos(pos[0]);
      this.#note(`line ${line}, column ${col}`, message.split("\n", 1)[0] ?? "");
    }
    const value = this.lines.length > 0 ? undefined : this.#value();
    if (value === undefined) return undefined;
    if (!Value.Check(BundleDocument, value)) {
      this.#noteSchema(value);
      return undefined;
    }
    for (const { where, offset, message } of checkBundle(value)) {
      this.#noteAt(where, message, offset);
    }
    return this.lines.length > 0 ? undefined : value;
  }

  #value(): unknown {
    try {
      const value: unknown = this.#document.toJS({ maxAliasCount: aliasCountMax });
      // An alias may stand within what it names; such a value has no end.
      JSON.stringify(value);
      return value ?? {};
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.#note(
        "line 1, column 1",
        "An alias of YAML stands within what it names, or there are too many.",
      );
      return undefined;
    }
  }

  /** Of a choice, what holds for all of it; the faults of its branches say less. */
  #noteSchema(value: unknown): void {
    const faults = [...Value.Errors(BundleDocument, value)];
    const choices = new Set(
      faults.filter(({ keyword }) => keyword === "anyOf").map(({ instancePath }) => instancePath),
    );
    const told = new Set<string>();
    for (const { instancePath, keyword, message, params, schemaPath } of faults) {
      const isBranch =
        keyword !== "anyOf" && schemaPath.includes("/anyOf/") && isWithin(instancePath, choices);
      if (isBranch || keyword === "additionalProperties" || told.has(instancePath)) continue;
      told.add(instancePath);
      this.#noteAt(instancePath, wordsOf({ instancePath, keyword, message, params }));
    }
  }

  #noteAt(pointer: string, message: string, offset = 0): void {
    const node = nearestNode(this.#document, pathOfPointer(pointer));
    const place = placeWithin(node, offset, { source: this.#source, lines: this.#places });
    this.#note(place, `${pointer === "" ? "The bundle" : pointer}: ${message}`);
  }

  #note(place: string, message: string): void {
    if (this.lines.length >= problemCountMax) return;
    // A file from elsewhere must not move the reader's cursor.
    this.lines.push(`  ${this.#path}, ${place}: ${printable(message)}`);
  }
}

interface SchemaFault {
  readonly instancePath: string;
  readonly keyword: string;
  readonly message: string;
  readonly params: unknown;
}

function isWithin(pointer: string, choices: ReadonlySet<string>): boolean {
  return [...choices].some((choice) => pointer === choice || pointer.startsWith(`${choice}/`));
}

function wordsOf({ instancePath, keyword, message, params }: SchemaFault): string {
  if (message === "schema is false") return unknownField(instancePath);
  if (keyword === "anyOf") return "it is none of the allowed forms.";
  const detail = JSON.stringify(params);
  return `${message}${detail === undefined || detail === "{}" ? "" : ` (${detail})`}.`;
}

function unknownField(pointer: string): string {
  const path = pathOfPointer(pointer);
  const known = fieldsAt(BundleDocument, path.slice(0, -1));
  const near = nearestName(String(path.at(-1)), known);
  if (near !== undefined) return `there is no such field; did you mean ${near}?`;
  return `there is no such field here${known.length === 0 ? "" : `; there are ${known.join(", ")}`}.`;
}

/** The fields that an object at a place may have. */
function fieldsAt(schema: TSchema, path: readonly (string | number)[]): string[] {
  const [step, ...rest] = path;
  // Schemas are plain objects; what a keyword holds is looked at, not trusted.
  const { properties, items, anyOf } = schema as {
    properties?: Record<string, TSchema>;
    items?: TSchema;
    anyOf?: TSchema[];
  };
  if (anyOf !== undefined) return [...new Set(anyOf.flatMap((branch) => fieldsAt(branch, path)))];
  if (step === undefined) return Object.keys(properties ?? {});
  const inner = typeof step === "number" ? items : properties?.[step];
  return inner === undefined ? [] : fieldsAt(inner, rest);
}
