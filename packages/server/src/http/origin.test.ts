import { PlatformError } from "@faultline/protocol";
import { describe, expect, it } from "vitest";

import { checkOrigin, type OriginFacts, type OriginRules } from "./origin.ts";

const local: OriginRules = { host: "127.0.0.1", publicUrl: undefined };
const proxied: OriginRules = {
  host: "0.0.0.0",
  publicUrl: new URL("https://faultline.example.org"),
};

function verdict(facts: Partial<OriginFacts>, rules = local): string {
  const whole: OriginFacts = {
    method: "GET",
    host: "127.0.0.1:4600",
    origin: undefined,
    fetchSite: undefined,
    bearer: false,
    session: false,
    ...facts,
  };
  try {
    checkOrigin(whole, rules);
    return "let through";
  } catch (error) {
    return error instanceof PlatformError ? error.code : String(error);
  }
}

describe("the Host header", () => {
  it.each(["localhost:4600", "127.0.0.1:4600", "[::1]:4600", "LOCALHOST", "192.168.1.7:4600"])(
    "may be %s",
    (host) => {
      expect(verdict({ host })).toBe("let through");
    },
  );

  it.each([
    "evil.example",
    "evil.example:4600",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "",
    "a b",
    "u@127.0.0.1",
    "127.0.0.1/x",
  ])("may not be %j", (host) => {
    expect(verdict({ host })).toBe("origin_refused");
  });

  it("may not be absent", () => {
    expect(verdict({ host: undefined })).toBe("origin_refused");
  });

  it("may be the name of the public URL, and of the address that is listened on", () => {
    expect(verdict({ host: "faultline.example.org" }, proxied)).toBe("let through");
    expect(verdict({ host: "faultline.example.org" })).toBe("origin_refused");
    expect(verdict({ host: "box.local:4600" }, { host: "box.local", publicUrl: undefined })).toBe(
      "let through",
    );
  });

  it("does not matter to who proves to know a key", () => {
    expect(verdict({ host: "faultline:4600", method: "POST", bearer: true })).toBe("let through");
  });
});

describe("the Origin header", () => {
  const change = { method: "POST", session: true };

  it("of the page itself may change things", () => {
    expect(verdict({ ...change, origin: "http://127.0.0.1:4600" })).toBe("let through");
    expect(verdict({ ...change, host: "localhost:4600", origin: "http://localhost:4600" })).toBe(
      "let through",
    );
    expect(
      verdict(
        { ...change, host: "faultline.example.org", origin: "https://faultline.example.org" },
        proxied,
      ),
    ).toBe("let through");
  });

  it.each([
    "https://evil.example",
    "http://127.0.0.1:3000",
    "http://localhost:4600",
    "null",
    "http://127.0.0.1:4600.evil.example",
    "garbage",
  ])("%s may not", (origin) => {
    expect(verdict({ ...change, origin })).toBe("origin_refused");
  });

  it("of another site may not change things even with a key", () => {
    expect(verdict({ method: "DELETE", bearer: true, origin: "https://evil.example" })).toBe(
      "origin_refused",
    );
  });

  it("may be absent for programs, but not for a session", () => {
    expect(verdict({ method: "POST", bearer: true })).toBe("let through");
    expect(verdict({ method: "POST", session: true })).toBe("origin_refused");
  });

  it("is not needed to know that a request crosses sites", () => {
    expect(verdict({ method: "POST", fetchSite: "cross-site" })).toBe("origin_refused");
    expect(verdict({ method: "POST", fetchSite: "same-origin" })).toBe("let through");
  });
});
