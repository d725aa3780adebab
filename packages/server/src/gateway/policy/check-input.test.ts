import type { SafetyRule } from "@faultline/protocol";
import { describe, expect, it } from "vitest";

import { applySplices } from "../wire/splice.ts";
import { checkInput } from "./check-input.ts";
import { compilePolicy } from "./compiled-policy.ts";
import { policyLimits } from "./limits.ts";

function check(body: Buffer, ...rules: readonly Partial<SafetyRule>[]) {
  const input = rules.map((rule, index): SafetyRule => ({
    id: `rule-${index}`,
    action: "redact",
    match: { kind: "personal-data" },
    ...rule,
  }));
  return checkInput(compilePolicy({ input }).input, body, [{ start: 0, end: body.length }]);
}

const messages = [
  { role: "user", content: 'I am bob@example.com, "Bob"\n' },
  {
    role: "assistant",
    content: null,
    tool_calls: [
      {
        id: "c1",
        type: "function",
        function: { name: "find", arguments: '{"mail":"eve@example.com"}' },
      },
    ],
  },
  {
    role: "tool",
    tool_call_id: "a@b.example",
    content: [{ type: "text", text: "tél. +49 170 1234567" }],
  },
  {
    role: "user",
    content: [
      { type: "image_url", image_url: { url: "data:image/png;base64,QUFB+4917012345678" } },
      { type: "text", text: "nothing" },
    ],
  },
];

describe("the texts of a request", () => {
  it("lose what rules take out, and not a byte besides", () => {
    const body = Buffer.from(JSON.stringify(messages, undefined, 1));
    const { splices, redactedBy } = check(body, {});
    const sent: unknown = JSON.parse(applySplices(body, splices).toString());
    const expected = JSON.parse(
      JSON.stringify(messages)
        .replace("bob@example.com", "[redacted]")
        .replace("eve@example.com", "[redacted]")
        .replace("+49 170 1234567", "[redacted]"),
    ) as unknown;
    expect(sent).toEqual(expected);
    expect(splices).toHaveLength(3);
    expect(redactedBy).toEqual(["rule-0"]);
    for (const { start, end } of splices) {
      expect(body.toString("utf8", start, start + 1) + body.toString("utf8", end - 1, end)).toBe(
        '""',
      );
    }
  });

  it("refuse the request with the rule's name and without the text", () => {
    const body = Buffer.from(JSON.stringify([{ role: "user", content: "the Secret-Plan" }]));
    const rule = {
      action: "refuse",
      match: { kind: "pattern", pattern: "(?i)secret-plan" },
    } as const;
    expect(() => check(body, rule)).toThrow(expect.objectContaining({ code: "content_refused" }));
    expect(() => check(body, rule)).toThrow(/"rule-0"/);
    expect(() => check(body, rule)).not.toThrow(/plan/i);
  });

  it("are found behind escapes", () => {
    const body = Buffer.from('[{"content":"bob\\u0040example.com \\\\ \\" x"}]');
    const { splices } = check(body, {});
    expect(applySplices(body, splices).toString()).toBe('[{"content":"[redacted] \\\\ \\" x"}]');
  });

  it.each([
    ["a text that begins like a data URL", "data:x, I am bob@example.com"],
    ["a data URL with a text in it", "data:text/plain;charset=utf-8,bob@example.com"],
  ])("are those of %s too", (_name, content) => {
    const body = Buffer.from(JSON.stringify([{ role: "user", content }]));
    expect(check(body, {}).redactedBy).toEqual(["rule-0"]);
  });

  it("are those of documents in plain text too, and not those of encoded ones", () => {
    const documentOf = (media_type: string, data: string): Buffer =>
      Buffer.from(JSON.stringify([{ content: [{ source: { type: "text", media_type, data } }] }]));
    const refused = { match: { kind: "pattern", pattern: "QUFB[0-9A-Z]+" } } as const;
    expect(check(documentOf("text/plain", "Ask bob@example.com.\n"), {}).splices).toHaveLength(1);
    expect(check(documentOf("text/plain", "QUFB42"), refused).splices).toHaveLength(1);
    const encoded = Buffer.from("AAA".repeat(200)).toString("base64");
    expect(check(documentOf("application/pdf", encoded), refused).splices).toEqual([]);
  });

  it.each([
    [
      "beside an object in one list",
      [{ content: [{ text: "a", type: "text" }, "bob@example.com"] }],
    ],
    ["behind a list that is empty", [{ content: [{ type: "x", content: [] }, "bob@example.com"] }]],
    ["of a call's arguments, whatever their names", [{ input: { name: "bob@example.com" } }]],
    ["of variables of a prompt", [{ id: "p", variables: { name: "bob@example.com" } }]],
    ["deep in arguments", [{ input: { filters: [{ type: "x" }, { id: ["bob@example.com"] }] } }]],
  ])("are found %s", (_name, given) => {
    const body = Buffer.from(JSON.stringify(given, undefined, 1));
    expect(check(body, {}).redactedBy).toEqual(["rule-0"]);
  });

  it("are not names and ids, also behind arguments", () => {
    const body = Buffer.from('[{"input":{"a":[{}]},"id":"a@b.example"},{"name":"a@b.example"}]');
    expect(check(body, {}).splices).toEqual([]);
  });

  it("have a bound together", () => {
    const long = "x".repeat(policyLimits.inputTextLengthMax / 2 + 1);
    const body = Buffer.from(JSON.stringify([long, long]));
    const rule = { match: { kind: "pattern", pattern: "never" } } as const;
    expect(() => check(body, rule)).toThrow(expect.objectContaining({ code: "request_too_large" }));
  });
});
