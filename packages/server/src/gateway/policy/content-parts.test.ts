/** Replies of chat whose content comes in parts, as some servers give it together with thoughts. */

import type { SafetyPolicy } from "@faultline/protocol";
import { describe, expect, it } from "vitest";

import { ChatOutput } from "./chat-output.ts";
import { compilePolicy } from "./compiled-policy.ts";
import { OutputCheck } from "./output-check.ts";

const redactEmails: SafetyPolicy = {
  output: [{ id: "no-mail", action: "redact", match: { kind: "personal-data", kinds: ["email"] } }],
};
const refusePlans: SafetyPolicy = {
  output: [
    { id: "no-plans", action: "refuse", match: { kind: "pattern", pattern: "secret plan" } },
  ],
};

const thought = (text: string): object => ({
  type: "thinking",
  thinking: [{ type: "text", text }],
});
const said = (text: string): object => ({ type: "text", text });

/** The events that go on, one for each content, and the rule that refuses them. */
function stream(
  policy: SafetyPolicy,
  ...contents: readonly unknown[]
): { readonly text: string; readonly refusedBy: string | undefined } {
  const shape = new ChatOutput();
  const check = new OutputCheck(compilePolicy(policy), () => undefined);
  const events = contents.flatMap((content) => {
    const data = { id: "c", choices: [{ index: 0, delta: { content }, finish_reason: null }] };
    return shape.event({ name: undefined, data }, check) ?? [{ name: undefined, data }];
  });
  const text = JSON.stringify([...events, ...shape.rest(check)].map(({ data }) => data));
  return { text, refusedBy: check.refusedBy };
}

describe("content in parts", () => {
  it("loses what a rule takes out, in thoughts and in what is said", () => {
    const { text } = stream(
      redactEmails,
      [thought("They want bob@exam")],
      [thought("ple.com, I think. "), { type: "reference", reference_ids: [1] }],
      [{ type: "thinking", thinking: "Or eve@example.com. " }],
      [said("It is bob@")],
      "example.com.",
    );
    expect(text).not.toMatch(/bob@|eve@|example/);
    expect(text.match(/\[redacted\]/g)).toHaveLength(3);
    expect(text).toContain('"reference_ids":[1]');
    expect(text).toContain("I think. ");
  });

  it("is refused over parts", () => {
    expect(stream(refusePlans, [thought("the secret ")], [thought("plan")]).refusedBy).toBe(
      "no-plans",
    );
    expect(stream(refusePlans, [said("the secret "), said("plan")]).refusedBy).toBe("no-plans");
    expect(stream(refusePlans, [thought("the secret "), said("plan")]).refusedBy).toBeUndefined();
  });

  it("gives what was held back of thoughts as thoughts", () => {
    const { text } = stream(redactEmails, [thought("bob@exam")], [said("Yes. ")]);
    expect(text).toContain(JSON.stringify(thought("bob@exam")));
  });

  it("is looked at in a plain reply", () => {
    const content = [thought("bob@example.com"), said("bob@example.com")];
    const reply = { choices: [{ index: 0, message: { role: "assistant", content } }] };
    new ChatOutput().reply(reply, new OutputCheck(compilePolicy(redactEmails), () => undefined));
    expect(content).toEqual([thought("[redacted]"), said("[redacted]")]);
  });
});
