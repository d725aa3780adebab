import { Check } from "typebox/value";
import { describe, expect, it } from "vitest";

import { ErrorBody, errorCodes, errorTable, PlatformError } from "./errors.ts";

describe.each(errorCodes)("the error code %s", (code) => {
  it("has a status of errors, an actor and a meaning that is a sentence", () => {
    const { status, actor, meaning } = errorTable[code];
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(600);
    expect(["caller", "operator", "provider", "faultline"]).toContain(actor);
    expect(meaning).toMatch(/^[A-Z].*\.$/);
    expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
  });

  it("says try again exactly where that can help", () => {
    const { status, retryable, actor } = errorTable[code];
    if (status === 503 || status === 429) expect(retryable).toBe(true);
    if (retryable) expect([408, 429, 502, 503, 504]).toContain(status);
    if (actor === "caller") expect(status).toBeLessThan(500);
  });

  it("leaves as the one body, without what is for the operator", () => {
    const error = new PlatformError(code, "The message.", {
      context: { secret: "for the log" },
      cause: new Error("for the log"),
      hint: "Do this.",
      where: "body /x",
    });
    const body = error.toBody();
    expect(Check(ErrorBody, body)).toBe(true);
    expect(body.error).toEqual({
      code,
      message: "The message.",
      retryable: errorTable[code].retryable,
      hint: "Do this.",
      where: "body /x",
    });
    expect(JSON.stringify(body)).not.toContain("for the log");
  });
});
