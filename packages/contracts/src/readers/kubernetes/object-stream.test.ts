import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { inputOf, outcomeOf, readsTheSameInPieces } from "../../../test/read-in-pieces.ts";
import { isFields } from "../../model/fields.ts";
import { jsonValuesOf } from "../text.ts";
import { kubernetesFormats } from "./formats.ts";
import { JsonDocuments } from "./json-documents.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const [format] = kubernetesFormats;
if (format === undefined) throw new Error("the format is missing");

/** Of a text that is broken in two ways, pieces may name the other one; the place is the same. */
function inOneWord(outcome: ReturnType<typeof outcomeOf>): unknown {
  if (Array.isArray(outcome)) return outcome;
  const text = JSON.stringify(outcome);
  return JSON.parse(text.replace("The JSON ends too early.", "The JSON is malformed.")) as unknown;
}

const cuts = fc.array(fc.nat(), { maxLength: 12 });
const key = fc.oneof(
  fc.constantFrom("items", "kind", "metadata", "name", "data", "__proto__", "1", "ü", "a b"),
  fc.string({ unit: "binary", maxLength: 4 }),
);
const scalar = fc.oneof(
  fc.constantFrom(0, -1.5, true, null, "", "{", "]", '"', "\\", "🚀", "\u2028", "Pod"),
  fc.string({ unit: "binary", maxLength: 5 }),
);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    scalar,
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(key, tie("value"), { maxKeys: 3 }),
  ),
}));
const metadata = fc.record(
  {
    name: fc.constantFrom("web", "db", "", 5),
    namespace: fc.constantFrom("shop", 3),
    generateName: fc.constant("web-"),
    labels: fc.dictionary(key, scalar, { maxKeys: 2 }),
    annotations: fc.dictionary(key, scalar, { maxKeys: 2 }),
    managedFields: fc.array(value, { maxLength: 2 }),
  },
  { requiredKeys: [] },
);
const object = fc.record(
  {
    apiVersion: fc.constantFrom("v1", "apps/v1"),
    kind: fc.constantFrom("Pod", "Secret", "Deployment", "SecretList", "List"),
    metadata: fc.oneof({ weight: 9, arbitrary: metadata }, { weight: 1, arbitrary: value }),
    data: fc.dictionary(key, value, { maxKeys: 2 }),
    spec: fc.dictionary(key, value, { maxKeys: 3 }),
    items: fc.array(value, { maxLength: 1 }),
  },
  { requiredKeys: ["apiVersion", "kind", "metadata"] },
);
const item = fc.oneof({ weight: 6, arbitrary: object }, { weight: 1, arbitrary: value });
const list = fc
  .tuple(fc.array(item, { maxLength: 5 }), fc.constantFrom("List", "PodList"), fc.boolean())
  .map(([items, kind, isLast]) =>
    isLast
      ? { apiVersion: "v1", items, kind, metadata: { resourceVersion: "" } }
      : { kind, apiVersion: "v1", items },
  );
const document = fc.oneof(list, object, fc.array(item, { minLength: 1, maxLength: 4 }));
const marks = [
  ...Array.from('{}[]",:\\x1\n\r \u00a0\u0001\u2028'),
  '"items":[',
  ',"items":5',
  '{"a":1}',
  "1e999",
  "[".repeat(201),
  '{"a":'.repeat(99),
  "\n{",
  "}\n",
  "\n\n",
  "\uFEFF",
  "tru",
];
const edit = fc.record({
  at: fc.nat(),
  length: fc.nat({ max: 2 }),
  text: fc.constantFrom(...marks),
});
const edits = fc.oneof(
  { weight: 1, arbitrary: fc.constant([]) },
  { weight: 3, arbitrary: fc.array(edit, { minLength: 1, maxLength: 3 }) },
);
const text = fc
  .tuple(
    fc.array(document, { minLength: 1, maxLength: 3 }),
    fc.constantFrom(0, 0, 1, 4),
    fc.constantFrom("\n", "\n", "\n\n", "\r\n", " ", ""),
    edits,
  )
  .map(([documents, indent, separator, changes]) => {
    let whole = documents.map((one) => JSON.stringify(one, undefined, indent)).join(separator);
    for (const { at, length, text: inserted } of changes) {
      const from = at % (whole.length + 1);
      whole = whole.slice(0, from) + inserted + whole.slice(from + length);
    }
    return whole;
  });

/** The values of a text that comes in pieces, all of them kept. */
function valuesInPieces(whole: string, places: readonly number[]): unknown[] {
  const documents = new JsonDocuments((one) => one);
  const ends = [...places.map((place) => place % (whole.length + 1)), whole.length];
  let from = 0;
  for (const end of ends.sort((a, b) => a - b)) {
    documents.push(whole.slice(from, end));
    from = end;
  }
  return documents.end();
}

describe("documents of JSON in pieces", () => {
  it("have the values and the faults of the whole, wherever it is cut and whatever is wrong", () => {
    let validCount = 0;
    fc.assert(
      fc.property(text, cuts, (whole, places) => {
        if (!/^\s*[{[]/.test(whole)) return;
        const expected = outcomeOf(() => jsonValuesOf(whole));
        if (Array.isArray(expected)) validCount += 1;
        const actual = outcomeOf(() => valuesInPieces(whole, places));
        expect(inOneWord(actual)).toEqual(inOneWord(expected));
      }),
      { numRuns: 1_500 },
    );
    expect(validCount).toBeGreaterThan(100);
  });

  it.each([
    ['[{"a":1}\n,{"a":2}]'],
    ['[\n{"a":1}]\n{"b":2}'],
    ['{"a":[\n{"b":1}]\n}\n[2]'],
    ['{"a":1}\u00a0'],
    ['{"a":1}\u00a0\n{"b":2}'],
    ['\u00a0\n{"a":1}\n{"b":2}'],
    ['{"a":1}\n\u00a0\n{"b":2}'],
    ['{"a":1} {"b":2}\n{"c":3}'],
    ['{"a":1} x\n{"b":2}\n{"c":3}'],
    ['{"a":"\n{"b":"}\n{"c":"}'],
    [`{"a":1}\n${'{"a":'.repeat(201)}\n{"b":}`],
    [`{"a":1}x\n${"[".repeat(201)}`],
    [`{"a":1}\n{"b"}${"[".repeat(201)}\n[]`],
    ['{"items":[{"a":1}],"items":[{"b":2}]}'],
    ['{"items":[{"a":1}],"\\u0069tems":[{},{"b":2},3,{}]}'],
    ['{"items":[{"a":1}],"items":{"a":{}}}'],
    ['{"items":[[{"a":1}],{},{"b":[{}]},null]}'],
    ['{"x":{"items":[{"a":1}]},"items":[{"a":2}]}'],
    ['{"items":[{"a":1} {"b":2}]}'],
    ['{"items":[{"a":1},]}'],
    ['{"items":[{"a":1}, {"b"'],
    ['{"items" [{"a":1}]}'],
    ['{"items":[\uFEFF\n{"a":{"b"'],
    ['["items",{"a":1}]'],
  ])("are those of the whole: %j", (whole) => {
    const everywhere = Array.from({ length: whole.length }, (_, index) => index);
    const expected = outcomeOf(() => jsonValuesOf(whole));
    expect(outcomeOf(() => valuesInPieces(whole, []))).toEqual(expected);
    expect(outcomeOf(() => valuesInPieces(whole, everywhere))).toEqual(expected);
  });
});

describe("objects that are read as they come", () => {
  it("are those of the whole file, with its notes and faults", () => {
    let count = 0;
    fc.assert(
      fc.property(text, cuts, (whole, places) => {
        const isRead = readsTheSameInPieces(format, { bytes: bytesOf(whole), name: "x" }, places);
        if (isRead) count += 1;
      }),
      { numRuns: 1_000 },
    );
    expect(count).toBeGreaterThan(500);
  });

  it("name the first byte that is no UTF-8, however far behind another fault", () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(text, damage, cuts, (whole, changes, places) => {
        const bytes = bytesOf(whole);
        for (const [at, byte] of changes) if (bytes.length > 0) bytes[at % bytes.length] = byte;
        readsTheSameInPieces(format, { bytes, name: "x" }, places);
      }),
      { numRuns: 500 },
    );
  });

  it("keep what is equal once, from the second time on", () => {
    const pod = (name: string): unknown => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, labels: { app: "web" }, managedFields: [{ manager: "kubectl" }] },
      spec: { tolerations: [{ key: "a", operator: "Exists" }], nodeName: name },
    });
    const bytes = bytesOf(JSON.stringify({ kind: "List", items: ["a", "b", "c"].map(pod) }));
    const reader = format.open?.(inputOf(bytes, "x"));
    reader?.push(bytes);
    const [first, second, third] = reader?.end().objects ?? [];
    expect(first?.metadata).toEqual({ name: "a", labels: { app: "web" } });
    expect(third?.metadata).toEqual({ name: "c", labels: { app: "web" } });
    expect(third?.metadata["labels"]).toBe(second?.metadata["labels"]);
    const specs = [second, third].map((one) => one?.["spec"]).filter(isFields);
    expect(specs).toHaveLength(2);
    expect(specs[0]?.["tolerations"]).toBe(specs[1]?.["tolerations"]);
  });
});
