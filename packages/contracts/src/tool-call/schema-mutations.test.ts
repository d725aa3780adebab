/** Valid calls are never flagged; calls that were renamed, dropped, retyped or unpaired always are. */

import * as fc from "fast-check";
import { Value } from "typebox/value";
import { expect, test } from "vitest";

import { Finding } from "../model/finding.ts";
import { checkTranscript as check } from "./fixtures/check-transcript.ts";

type Fields = Record<string, unknown>;

/** A tool with its schema, and a call that fits it. */
interface Sample {
  readonly name: string;
  readonly schema: {
    type: string;
    properties: Record<string, Fields>;
    required: string[];
    additionalProperties?: boolean;
  };
  readonly given: Fields;
}

const fieldSamples: readonly (readonly [Fields, fc.Arbitrary<unknown>])[] = [
  [{ type: "string" }, fc.string()],
  [{ type: "integer" }, fc.integer()],
  [{ type: "number" }, fc.double({ noNaN: true, noDefaultInfinity: true })],
  [{ type: "boolean" }, fc.boolean()],
  [{ type: "array", items: { type: "string" } }, fc.array(fc.string(), { maxLength: 3 })],
  [{ enum: ["celsius", "kelvin"] }, fc.constantFrom("celsius", "kelvin")],
  [{ type: ["string", "null"] }, fc.option(fc.string())],
  [{ anyOf: [{ type: "integer" }, { type: "null" }] }, fc.option(fc.integer())],
];

const sample: fc.Arbitrary<Sample> = fc
  .uniqueArray(
    fc.tuple(
      fc.stringMatching(/^[a-z]{3,8}_[a-z]{3,8}$/),
      fc.nat(fieldSamples.length - 1),
      fc.boolean(),
    ),
    {
      minLength: 1,
      maxLength: 5,
      selector: ([name]) => name,
    },
  )
  .chain((fields) =>
    fc
      .record({
        name: fc.stringMatching(/^[a-z]{3,10}$/),
        closed: fc.boolean(),
        values: fc.tuple(...fields.map(([, kind]) => fieldSamples[kind]?.[1] ?? fc.constant(0))),
      })
      .map(({ name, closed, values }) => ({
        name,
        schema: {
          type: "object",
          properties: Object.fromEntries(
            fields.map(([field, kind]) => [field, fieldSamples[kind]?.[0] ?? {}]),
          ),
          required: fields.filter(([, , isRequired]) => isRequired).map(([field]) => field),
          ...(closed ? { additionalProperties: false } : {}),
        },
        given: Object.fromEntries(fields.map(([field], index) => [field, values[index]])),
      })),
  );

function conversation(
  { name, schema }: Sample,
  given: unknown,
  { hasResult = true, called = name } = {},
): unknown {
  return {
    tools: [{ type: "function", function: { name, parameters: schema } }],
    messages: [
      { role: "user", content: "go" },
      {
        role: "assistant",
        content: null,
        tool_calls: [
          {
            id: "c1",
            type: "function",
            function: { name: called, arguments: JSON.stringify(given) },
          },
        ],
      },
      ...(hasResult ? [{ role: "tool", tool_call_id: "c1", content: "ok" }] : []),
      { role: "assistant", content: "done" },
    ],
  };
}

const isViolated = (findings: readonly Finding[]): boolean =>
  findings.some((finding) => finding.verdict === "violated");
const verdictsOf = (transcript: unknown): string[] =>
  check(transcript).map((finding) => finding.verdict);

test("a valid call is never flagged, and every finding fits the published schema", () => {
  fc.assert(
    fc.property(sample, (item) => {
      const findings = check(conversation(item, item.given));
      expect(findings.map((finding) => finding.verdict)).toEqual(["holds"]);
      for (const finding of findings) expect(Value.Check(Finding, finding)).toBe(true);
    }),
    { numRuns: 150 },
  );
});

test("a renamed field is flagged, and the right name is the nearest when the new one is like it", () => {
  fc.assert(
    fc.property(sample, fc.nat(), (item, at) => {
      const [field = ""] = pick(Object.keys(item.given), at);
      const { [field]: value, ...rest } = item.given;
      const renamed = field.replace(/_(.)/, (_match, letter: string) => letter.toUpperCase());
      const findings = check(conversation(item, { ...rest, [renamed]: value }));
      expect(isViolated(findings)).toBe(true);
      expect(findings[0]?.measures["nearestValid"]).toBe(field);
      for (const finding of findings) expect(Value.Check(Finding, finding)).toBe(true);
    }),
    { numRuns: 150 },
  );
});

test("a required field that is dropped is flagged", () => {
  fc.assert(
    fc.property(
      sample.filter((item) => item.schema.required.length > 0),
      fc.nat(),
      (item, at) => {
        const [field = ""] = pick(item.schema.required, at);
        const { [field]: _dropped, ...rest } = item.given;
        expect(isViolated(check(conversation(item, rest)))).toBe(true);
      },
    ),
    { numRuns: 100 },
  );
});

test("a value of another type is flagged", () => {
  fc.assert(
    fc.property(sample, fc.nat(), (item, at) => {
      const [field = ""] = pick(Object.keys(item.given), at);
      const value = item.given[field];
      // A number as text, and an object for all else: no sample allows an object.
      const wrong =
        typeof value === "number" && item.schema.properties[field]?.["type"] !== undefined
          ? String(value)
          : { value };
      expect(isViolated(check(conversation(item, { ...item.given, [field]: wrong })))).toBe(true);
    }),
    { numRuns: 150 },
  );
});

test("an unknown tool, a missing result and a stray result are flagged", () => {
  fc.assert(
    fc.property(sample, (item) => {
      expect(isViolated(check(conversation(item, item.given, { called: `${item.name}s` })))).toBe(
        true,
      );
      expect(isViolated(check(conversation(item, item.given, { hasResult: false })))).toBe(true);
      const stray = conversation(item, item.given) as { messages: unknown[] };
      stray.messages[2] = { role: "tool", tool_call_id: "c2", content: "ok" };
      expect(isViolated(check(stray))).toBe(true);
    }),
    { numRuns: 100 },
  );
});

test("the order of tools, of fields and of transcripts changes nothing", () => {
  fc.assert(
    fc.property(sample, (item) => {
      const reversed = Object.fromEntries(Object.entries(item.given).toReversed());
      const other = { type: "function", function: { name: "another_tool", parameters: {} } };
      const shuffled = conversation(item, reversed) as { tools: unknown[] };
      shuffled.tools.unshift(other);
      expect(verdictsOf(shuffled)).toEqual(verdictsOf(conversation(item, item.given)));
    }),
    { numRuns: 100 },
  );
});

function pick<T>(items: readonly T[], at: number): readonly T[] {
  return items.slice(at % items.length, (at % items.length) + 1);
}
