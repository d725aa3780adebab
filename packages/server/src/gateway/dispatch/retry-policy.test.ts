import {
  anything,
  assert,
  constantFrom,
  integer,
  option,
  property,
  record,
  string,
} from "fast-check";
import { describe, expect, it } from "vitest";

import type { AttemptFailure } from "./attempt-failure.ts";
import { judgeFailure } from "./retry-policy.ts";
import { readSaidFailure } from "./said-failure.ts";

function judgeBody(status: number | undefined, body: unknown): [string, string] {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const { scope, reason } = judgeFailure({ kind: "said", ...readSaidFailure(text, status) });
  return [scope, reason];
}

describe("the retry table", () => {
  it.each([
    [400, "never", "request-refused"],
    [401, "fallback-only", "credential-refused"],
    [402, "fallback-only", "quota-exhausted"],
    [403, "fallback-only", "credential-refused"],
    [404, "fallback-only", "model-missing"],
    [408, "same-target", "request-timeout"],
    [409, "same-target", "conflict"],
    [413, "never", "request-refused"],
    [422, "never", "request-refused"],
    [425, "same-target", "too-early"],
    [429, "same-target", "rate-limited"],
    [451, "never", "request-refused"],
    [500, "same-target", "server-error"],
    [501, "never", "request-refused"],
    [502, "same-target", "unavailable"],
    [503, "same-target", "unavailable"],
    [504, "same-target", "gateway-timeout"],
    [520, "same-target", "server-error"],
    [524, "same-target", "gateway-timeout"],
    [529, "same-target", "overloaded"],
  ])("judges a bare status %i: %s, %s", (status, scope, reason) => {
    expect(judgeBody(status, "<html>no JSON</html>")).toEqual([scope, reason]);
  });

  it.each([
    [
      "OpenAI without credit",
      429,
      {
        error: {
          message: "You exceeded your quota",
          type: "insufficient_quota",
          param: null,
          code: "insufficient_quota",
        },
      },
      ["fallback-only", "quota-exhausted"],
    ],
    [
      "OpenAI beyond the rate",
      429,
      {
        error: {
          message: "Rate limit reached",
          type: "tokens",
          param: null,
          code: "rate_limit_exceeded",
        },
      },
      ["same-target", "rate-limited"],
    ],
    [
      "OpenAI with too long a prompt",
      400,
      {
        error: {
          message: "Too long",
          type: "invalid_request_error",
          code: "context_length_exceeded",
        },
      },
      ["fallback-only", "context-length"],
    ],
    [
      "OpenAI with a locked resource",
      409,
      { error: { message: "Locked", type: "invalid_request_error", code: null } },
      ["same-target", "conflict"],
    ],
    [
      "Anthropic overloaded",
      529,
      { type: "error", error: { type: "overloaded_error", message: "Overloaded" } },
      ["same-target", "overloaded"],
    ],
    [
      "Anthropic with too long a prompt",
      400,
      {
        type: "error",
        error: {
          type: "invalid_request_error",
          message: "prompt is too long: 210000 tokens > 200000 maximum",
        },
      },
      ["fallback-only", "context-length"],
    ],
    [
      "Anthropic without credit",
      403,
      {
        type: "error",
        error: { type: "billing_error", message: "Your credit balance is too low" },
      },
      ["fallback-only", "quota-exhausted"],
    ],
    [
      "Azure without the deployment",
      404,
      { error: { code: "DeploymentNotFound", message: "The API deployment does not exist." } },
      ["fallback-only", "model-missing"],
    ],
    [
      "Azure's content filter",
      400,
      {
        error: { code: "content_filter", message: "The context window of our filter", status: 400 },
      },
      ["never", "content-refused"],
    ],
    [
      "vLLM with too long a prompt",
      400,
      {
        object: "error",
        message: "This model's maximum context length is 4096 tokens.",
        type: "BadRequestError",
        code: 400,
      },
      ["fallback-only", "context-length"],
    ],
    [
      "llama.cpp while it loads",
      503,
      { error: { code: 503, message: "Loading model", type: "unavailable_error" } },
      ["same-target", "unavailable"],
    ],
    [
      "Google beyond the quota, in a list",
      429,
      [{ error: { code: 429, message: "Resource exhausted", status: "RESOURCE_EXHAUSTED" } }],
      ["same-target", "rate-limited"],
    ],
    ["Ollama's text", 500, { error: "out of memory" }, ["same-target", "server-error"]],
  ])("judges %s", (...row) => {
    const [, status, body, expected] = row;
    expect(judgeBody(status, body)).toEqual(expected);
  });

  it.each([
    [{ error: { message: "no", type: "server_error", code: null } }, "server-error"],
    [{ type: "error", error: { type: "overloaded_error", message: "Overloaded" } }, "overloaded"],
    [{ error: { code: 502, message: "Provider disconnected" } }, "unavailable"],
    [{ error: { code: "429", message: "slow" } }, "rate-limited"],
    [{ error: { message: "?" } }, "server-error"],
  ])("judges an error within a stream, which has no status: %j", (body, reason) => {
    expect(judgeBody(undefined, body)[1]).toBe(reason);
  });

  const failures: [AttemptFailure, string, string][] = [
    [{ kind: "transport", fault: "connect-refused" }, "same-target", "connect-refused"],
    [{ kind: "transport", fault: "connect-timeout" }, "fallback-only", "connect-timeout"],
    [{ kind: "transport", fault: "name-unresolved" }, "fallback-only", "name-unresolved"],
    [{ kind: "transport", fault: "tls-failed" }, "fallback-only", "tls-failed"],
    [{ kind: "transport", fault: "reset-before-headers" }, "same-target", "reset-before-headers"],
    [{ kind: "transport", fault: "reset-after-headers" }, "same-target", "reset-after-headers"],
    [{ kind: "transport", fault: "not-http" }, "fallback-only", "reply-invalid"],
    [{ kind: "deadline", deadline: "connect" }, "fallback-only", "connect-timeout"],
    [{ kind: "deadline", deadline: "first-token" }, "fallback-only", "first-token-timeout"],
    [{ kind: "deadline", deadline: "inter-token" }, "fallback-only", "stall"],
    [{ kind: "reply-invalid" }, "fallback-only", "reply-invalid"],
    [{ kind: "reply-cut" }, "same-target", "reply-cut"],
  ];
  it.each(failures)("judges %j: %s, %s", (failure, scope, reason) => {
    expect(judgeFailure(failure)).toMatchObject({ scope, reason });
  });

  it("blames load and health where they are to blame, and never the target for a bad request", () => {
    const judge = (status: number) =>
      judgeFailure({ kind: "said", ...readSaidFailure("", status) });
    expect(judge(429)).toMatchObject({ overload: true, unhealthy: false });
    expect(judge(503)).toMatchObject({ overload: true, unhealthy: true });
    expect(judge(500)).toMatchObject({ overload: false, unhealthy: true });
    expect(judge(400)).toMatchObject({ overload: false, unhealthy: false });
  });

  it("reads any body without failing, and judges it", () => {
    const body = anything({
      maxDepth: 3,
      key: constantFrom("error", "code", "type", "message", "detail", "status"),
    });
    assert(
      property(
        body,
        option(integer({ min: 400, max: 599 }), { nil: undefined }),
        (value, status) => {
          expect(judgeBody(status, JSON.stringify(value) ?? "")).toHaveLength(2);
        },
      ),
    );
    assert(
      property(
        string(),
        record({ status: integer({ min: 400, max: 599 }) }),
        (text, { status }) => {
          expect(readSaidFailure(text, status).status).toBe(status);
        },
      ),
    );
  });
});
