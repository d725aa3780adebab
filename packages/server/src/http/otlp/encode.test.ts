import { describe, expect, it } from "vitest";

import { encodeExportResponse, encodeStatus } from "./encode.ts";

describe("the answer to an export", () => {
  it("of full success is an empty message", () => {
    expect(encodeExportResponse("traces", "protobuf", { rejectedCount: 0 })).toHaveLength(0);
    expect(encodeExportResponse("traces", "json", { rejectedCount: 0 }).toString()).toBe("{}");
  });

  it("of partial success names the count in the field of its kind", () => {
    const partial = { rejectedCount: 3, message: "bad" };
    expect(JSON.parse(encodeExportResponse("logs", "json", partial).toString())).toEqual({
      partialSuccess: { rejectedLogRecords: "3", errorMessage: "bad" },
    });
    // partial_success { rejected: 3, error_message: "bad" }, as protoc writes it.
    expect(encodeExportResponse("metrics", "protobuf", partial).toString("hex")).toBe(
      "0a0708031203626164",
    );
  });

  it("may carry a warning without a rejection", () => {
    expect(
      encodeExportResponse("traces", "protobuf", { rejectedCount: 0, message: "hm" }).toString(
        "hex",
      ),
    ).toBe("0a041202686d");
  });

  it("writes counts and lengths beyond one byte", () => {
    const bytes = encodeExportResponse("traces", "protobuf", {
      rejectedCount: 300,
      message: "x".repeat(200),
    });
    expect(bytes.subarray(0, 9).toString("hex")).toBe("0ace0108ac0212c801");
  });
});

describe("the body of a failure", () => {
  it("is google.rpc.Status in the encoding of the request", () => {
    expect(encodeStatus("protobuf", 400, "no").toString("hex")).toBe("080312026e6f");
    expect(JSON.parse(encodeStatus("json", 401, "no").toString())).toEqual({
      code: 16,
      message: "no",
    });
    expect(JSON.parse(encodeStatus("json", 503, "no").toString())).toEqual({
      code: 14,
      message: "no",
    });
  });
});
