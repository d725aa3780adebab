import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { openTestControl, type TestControl } from "./control-fixture.ts";

let control: TestControl;

beforeAll(async () => {
  control = await openTestControl();
});
afterAll(async () => {
  await control[Symbol.asyncDispose]();
});

async function post(path: string, init: RequestInit = {}) {
  const headers = {
    authorization: `Bearer ${control.keys.byRole.admin}`,
    ...(init.headers as Record<string, string> | undefined),
  };
  const response = await control.fetch(path, { method: "POST", ...init, headers });
  // Every answer of these routes is JSON.
  const body = (await response.json()) as {
    readonly error?: { readonly code: string; readonly message: string; readonly hint?: string };
  };
  return { status: response.status, body, error: body.error };
}

/** A body that is sent in pieces, as a proxy does that does not know its length. */
function inPieces(...pieces: readonly string[]): RequestInit {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(new TextEncoder().encode(piece));
      controller.close();
    },
  });
  // Not in the types of the web, and needed by `fetch` for a stream.
  return { body, duplex: "half" } as RequestInit;
}

describe("a request without a body", () => {
  it.each([
    ["of no length", {}],
    ["in no pieces", inPieces()],
  ])("%s is taken where every field is optional", async (_what, init) => {
    const { status, body } = await post("/api/ledger/reconcile", init);
    expect(status).toBe(200);
    expect(body).toMatchObject({ differences: [] });
  });

  it.each([
    ["of no length", {}],
    ["in no pieces", inPieces()],
  ])("%s is told what was expected where a field is not optional", async (_what, init) => {
    const { status, error } = await post("/api/ledger/grants", init);
    expect(status).toBe(400);
    expect(error).toMatchObject({ code: "request_invalid" });
    expect(error?.message).toContain("The body is missing.");
    expect(error?.hint).toContain("currency, amountMicros");
  });

  it("is told apart from one that does not say what it is", async () => {
    const { status, error } = await post("/api/ledger/reconcile", inPieces("{}"));
    expect(status).toBe(415);
    expect(error).toMatchObject({
      code: "media_type_unsupported",
      message: "The body has no content type, and JSON was expected.",
    });
  });
});
