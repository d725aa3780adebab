import type { BundleDocument } from "@faultline/protocol";
import { describe, expect, it } from "vitest";

import type { SurfaceName } from "#config/index.ts";

import { RequestReader } from "../calls/request-reader.ts";
import { surfaces } from "../calls/surface.ts";
import { applySplices } from "../wire/splice.ts";
import { bundleSplices } from "./bundle-splices.ts";

const targets: BundleDocument["targets"] = [{ model: "large" }];

// oxlint-disable-next-line max-params -- a case reads best as its surface, bundle, request and headers
function put(
  surface: SurfaceName,
  bundle: Partial<BundleDocument>,
  text: string,
  headers: Record<string, string> = {},
) {
  const body = Buffer.from(text);
  const facts = new RequestReader(surfaces[surface].request).read(body);
  const { splices, unused } = bundleSplices(
    { targets, ...bundle },
    { surface: surfaces[surface], body, facts, headers },
  );
  return { sent: applySplices(body, splices).toString(), splices, unused };
}

const prompt = { systemPrompt: { text: 'Be "kind".' } };
const tool = { name: "find", description: "Finds.", parameters: { type: "object" } };

describe("the prompt of a bundle", () => {
  it.each([
    [
      "chat",
      '{ "model":"a", "messages": [ {"role":"user","content":"hi"} ] , "x":1e0}',
      '{ "model":"a", "messages": [{"role":"system","content":"Be \\"kind\\"."}, {"role":"user","content":"hi"} ] , "x":1e0}',
    ],
    [
      "messages",
      '{"model":"a","system":"Caf\\u00e9","messages":[]}',
      '{"model":"a","system":"Be \\"kind\\".\\n\\nCaf\\u00e9","messages":[]}',
    ],
    [
      "messages",
      '{"model":"a","messages":[],"system":[{"type":"text","text":"b"}]}',
      '{"model":"a","messages":[],"system":[{"type":"text","text":"Be \\"kind\\"."},{"type":"text","text":"b"}]}',
    ],
    [
      "count-tokens",
      '{"model":"a","messages":[]}',
      '{"system":"Be \\"kind\\".","model":"a","messages":[]}',
    ],
    [
      "responses",
      '{"model":"a","input":"hi","instructions":null}',
      '{"model":"a","input":"hi","instructions":"Be \\"kind\\"."}',
    ],
    ["embeddings", '{"model":"a","input":"hi"}', '{"model":"a","input":"hi"}'],
  ] as const)("stands first in %s, and no other byte changes", (surface, text, expected) => {
    expect(put(surface, prompt, text).sent).toBe(expected);
  });

  it("is refused where there is no place for it", () => {
    expect(() => put("completions", prompt, '{"model":"a","prompt":"x"}')).toThrow(
      expect.objectContaining({ code: "request_invalid" }),
    );
  });

  const templated: Partial<BundleDocument> = {
    systemPrompt: {
      text: "For {{ customer }} in {{plan}}, {{ tone }}.",
      variables: [
        { name: "customer", from: { header: "x-customer" }, lengthMax: 10 },
        { name: "plan", from: { metadata: "plan" } },
        { name: "tone", from: { header: "x-tone" }, default: "friendly" },
      ],
    },
  };
  const body = '{"model":"a","messages":[],"metadata":{"plan":"gold {{ tone }}","n":1}}';

  it("has the values of its variables, which are never read as variables", () => {
    const { sent } = put("chat", templated, body, { "x-customer": "Ada $&" });
    expect(JSON.parse(sent)).toMatchObject({
      messages: [{ role: "system", content: "For Ada $& in gold {{ tone }}, friendly." }],
    });
  });

  it("refuses a request without a value, or with one that is too long, by the name of its source", () => {
    expect(() => put("chat", templated, body)).toThrow(/needs the header x-customer/);
    const customer = { "x-customer": "Ada" };
    expect(() => put("chat", templated, '{"model":"a","messages":[]}', customer)).toThrow(
      /needs metadata\.plan/,
    );
    const long = { "x-customer": "Ada Lovelace" };
    expect(() => put("chat", templated, body, long)).toThrow(/has 12 characters; .* takes 10/);
  });
});

describe("the parameters of a bundle", () => {
  const parameters = {
    parameters: {
      defaults: { temperature: 0.5, maxTokens: 100, stop: ["END"], reasoningEffort: "low" },
      forced: { topP: 0.9, seed: 7 },
    },
  } as const satisfies Partial<BundleDocument>;

  it("count where the caller sent none, or always when they are forced", () => {
    expect(
      put("chat", parameters, '{"model":"a","temperature": 1.0,"top_p":0.1,"max_tokens":null}')
        .sent,
    ).toBe(
      '{"stop":["END"],"reasoning_effort":"low","seed":7,"model":"a","temperature": 1.0,"top_p":0.9,"max_tokens":100}',
    );
    const forced = { parameters: { forced: { maxTokens: 5 } } };
    expect(put("chat", forced, '{"model":"a","max_tokens":10}').sent).toBe(
      '{"model":"a","max_tokens":5}',
    );
    expect(put("chat", forced, '{"model":"a"}').sent).toBe(
      '{"max_completion_tokens":5,"model":"a"}',
    );
  });

  it("have the names of each format, and those without a name are told", () => {
    const messages = put("messages", parameters, '{"model":"a","max_tokens":9}');
    expect(messages.sent).toBe(
      '{"temperature":0.5,"stop_sequences":["END"],"top_p":0.9,"model":"a","max_tokens":9}',
    );
    expect(messages.unused).toEqual(["reasoningEffort", "seed"]);
    const responses = put("responses", parameters, '{"model":"a","reasoning":{"summary":"auto"}}');
    expect(responses.sent).toBe(
      '{"temperature":0.5,"max_output_tokens":100,"top_p":0.9,"model":"a","reasoning":{"effort":"low","summary":"auto"}}',
    );
    expect(responses.unused).toEqual(["stop", "seed"]);
    expect(put("responses", parameters, '{"model":"a"}').sent).toContain(
      '"reasoning":{"effort":"low"}',
    );
    expect(put("embeddings", parameters, '{"model":"a"}')).toMatchObject({
      sent: '{"model":"a"}',
      unused: [],
    });
  });
});

describe("the tools of a bundle", () => {
  it("stand before those of the caller, in the form of each format", () => {
    expect(
      put(
        "chat",
        { tools: [tool] },
        '{"model":"a","tools":[ {"type":"function","function":{"name":"x"}}]}',
      ).sent,
    ).toBe(
      '{"model":"a","tools":[{"type":"function","function":{"name":"find","description":"Finds.","parameters":{"type":"object"}}}, {"type":"function","function":{"name":"x"}}]}',
    );
    expect(put("messages", { tools: [tool] }, '{"model":"a","tools":[]}').sent).toBe(
      '{"model":"a","tools":[{"name":"find","description":"Finds.","input_schema":{"type":"object"}}]}',
    );
    expect(put("responses", { tools: [tool] }, '{"model":"a"}').sent).toBe(
      '{"tools":[{"type":"function","name":"find","description":"Finds.","parameters":{"type":"object"}}],"model":"a"}',
    );
  });

  it("refuse a tool of the caller that has the name of one of them", () => {
    for (const given of ['{"type":"function","function":{"name":"find"}}', '{"name":"find"}']) {
      expect(() => put("chat", { tools: [tool] }, `{"model":"a","tools":[${given}]}`)).toThrow(
        /brings one of the same name/,
      );
    }
  });
});

describe("a request of a bundle", () => {
  it("keeps every byte of the caller's, and only gains and replaces at its splices", () => {
    const text =
      '\n{ "messages" : [\t{"role":"user","content":"\\u00e9 \\/ 1E2"}],"n":1.50,  "model":"a","temperature":2 }\n';
    const bundle: Partial<BundleDocument> = {
      ...prompt,
      tools: [tool],
      parameters: { forced: { temperature: 0 }, defaults: { seed: 1 } },
    };
    const { sent, splices } = put("chat", bundle, text);
    const given = Buffer.from(text);
    let at = 0;
    let rest = sent;
    for (const { start, end, text: put } of splices.toSorted(
      (one, other) => one.start - other.start,
    )) {
      const kept = given.toString("utf8", at, start);
      expect(rest.startsWith(kept + put)).toBe(true);
      rest = rest.slice(kept.length + put.length);
      at = end;
    }
    expect(rest).toBe(given.toString("utf8", at));
    expect(splices).toHaveLength(4);
    expect(JSON.parse(sent)).toMatchObject({ temperature: 0, seed: 1, n: 1.5, model: "a" });
  });
});
