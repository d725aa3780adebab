/** Which headers of a provider reach the caller. */

import { describe, expect, it } from "vitest";

import { replyHead } from "./reply-head.ts";

describe("the head of a reply", () => {
  it("has what the official clients read: the id of the request and the provider's rates", () => {
    const passed = {
      "content-type": "application/json",
      "request-id": "req_1",
      "x-request-id": "req_2",
      "anthropic-ratelimit-requests-remaining": "9",
      "x-ratelimit-remaining-tokens": "90",
    };
    const others = {
      "set-cookie": ["a=1"],
      "content-length": "2",
      "anthropic-organization-id": "o",
    };
    expect(replyHead({ ...passed, ...others }, {})).toEqual(passed);
  });

  it.each(["anthropic-ratelimit-requests-limit", "x-ratelimit-limit-tokens"])(
    "has no rates of the provider beside %s of ours",
    (name) => {
      const rates = {
        "anthropic-ratelimit-tokens-remaining": "9",
        "x-ratelimit-remaining-tokens": "9",
      };
      expect(replyHead(rates, { [name]: "5" })).toEqual({ [name]: "5" });
    },
  );
});
