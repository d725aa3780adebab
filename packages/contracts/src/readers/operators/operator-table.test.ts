import { describe, expect, it } from "vitest";

import { survivesAnyInput } from "../../../test/survives.ts";
import { operatorsFit } from "../../shapes/operators-fit.ts";
import { createSnapshot } from "../../snapshot/create-snapshot.ts";
import { readEvidence } from "../read-evidence.ts";
import { operatorFormats } from "./formats.ts";

function check(text: string) {
  const { evidence, unreadable } = readEvidence([
    { name: "operators.csv", bytes: new TextEncoder().encode(text) },
  ]);
  expect(unreadable).toEqual([]);
  expect(evidence[0]?.source.format).toBe("operators-csv");
  return operatorsFit.check(createSnapshot(evidence))[0];
}

const columns = `op,input_shapes,attributes,output_shape
matmul,"[[8, 16], [16, 4]]",,"[8, 4]"
cat,"(2, 3), (2, 5)",axis=1,"(2, 8)"
Conv2d,"[1, 3, 32, 32]; [16, 3, 3, 3]","{""stride"": 1, ""padding"": 1, ""groups"": 1}","[1, 16, 32, 32]"
add,"f32[2, 3] f32[3]",,"f32[2, 3]"
`;

describe("tables of operators", () => {
  it("are read with shapes in any spelling", () => {
    expect(check(columns.replace("Conv2d", "conv2d"))).toMatchObject({
      verdict: "holds",
      measures: { operatorCount: 4, judgedCount: 4 },
    });
  });

  it("are violated by the row that cannot be", () => {
    const finding = check(columns.replace("(2, 5)", "(3, 5)"));
    expect(finding).toMatchObject({ verdict: "violated", measures: { faultyIndex: 1 } });
    expect(finding?.evidence[0]?.locator).toBe("line 3");
  });

  it("may have a column for each input and each setting, and types", () => {
    const table = `operator\tinput_a\tinput_b\tdtype\tdim\toutput
torch.cat\t2x3\t2x4\tfloat32\t1\t2x7
torch.bmm\t5x2x3\t5x3x4\tfloat32\t\t5x2x4
`;
    expect(check(table)).toMatchObject({ verdict: "holds", measures: { judgedCount: 2 } });
    expect(check(table.replace("5x3x4", "5x4x4"))).toMatchObject({ verdict: "violated" });
  });

  it("end in operators or in a named fault for any input", () => {
    survivesAnyInput(operatorFormats, [columns]);
  });
});

it.each([
  "op,input,output\nchat,hello (world),yes\nchat,x,y\n",
  "time,op,value\n2026-01-01,read,3\n",
  "operation,inputs,count\nGET /a,[none],3\n",
])("other tables are none of operators", (text) => {
  const input = { bytes: new Uint8Array(), head: text, name: "x.csv", text: () => text };
  expect(operatorFormats.filter((format) => format.recognise(input))).toEqual([]);
});
