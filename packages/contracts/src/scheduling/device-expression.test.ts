import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { matchesDevice } from "./device-expression.ts";

const device = {
  driver: "gpu.example.com",
  facts: {
    attributes: {
      type: { string: "gpu" },
      productName: { string: "Example A100" },
      cores: { int: 108 },
      isHealthy: { bool: true },
      firmware: { version: "1.2.3" },
      "board.example.com/slot": { int: 4 },
    },
    capacity: { memory: { value: "40Gi" }, "board.example.com/bandwidth": "100M" },
  },
};

const own = 'device.attributes["gpu.example.com"]';

describe("an expression over a device", () => {
  test.each([
    ['device.driver == "gpu.example.com"', true],
    [`device.driver == 'gpu.example.com' && ${own}.type == 'gpu'`, true],
    [`${own}.type != "gpu" || ${own}.cores >= 100`, true],
    [`!(${own}.isHealthy) || ${own}.cores < 108`, false],
    [`${own}.productName.lowerAscii().contains("a100")`, true],
    [`${own}.productName.startsWith("Other")`, false],
    [`${own}.type in ["mig", "gpu"]`, true],
    [`"type" in ${own} && has(${own}.cores)`, true],
    [`has(${own}.serial)`, false],
    ['device.attributes["board.example.com"].slot == 4', true],
    ['device.attributes["board.example.com"].slot == -4', false],
    [`cel.bind(own, ${own}, own.isHealthy && own.cores > 100)`, true],
    ['device.capacity["gpu.example.com"].memory.compareTo(quantity("40Gi")) >= 0', true],
    ['device.capacity["gpu.example.com"].memory.isGreaterThan(quantity("40Gi"))', false],
    ['device.capacity["board.example.com"].bandwidth == quantity("100000k")', true],
  ])("%s: %s", (expression, expected) => {
    expect(matchesDevice(expression, device)).toBe(expected);
  });

  test.each([
    `${own}.serial == "x"`,
    `${own}.firmware.isGreaterThan(semver("1.0.0"))`,
    `${own}.productName.matches("A.*")`,
    `${own}.cores == "108"`,
    `${own}.cores + 1 == 109`,
    `${own}.cores ? true : false`,
    "device.allowMultipleAllocations == true",
    'device.driver == "unterminated',
    "",
    "((((".repeat(100),
  ])("that is beyond what is known here tells nothing: %s", (expression) => {
    expect(matchesDevice(expression, device)).toBeUndefined();
  });

  test("a side that settles the matter outweighs one that nobody can tell", () => {
    expect(matchesDevice(`${own}.serial == "x" || ${own}.cores == 108`, device)).toBe(true);
    expect(matchesDevice(`${own}.type == "mig" && ${own}.serial == "x"`, device)).toBe(false);
    expect(matchesDevice(`${own}.cores == 108 && ${own}.serial == "x"`, device)).toBeUndefined();
  });

  test("of any text is an answer or none", () => {
    const part = fc.constantFrom(
      "device",
      ".",
      "driver",
      "[",
      "]",
      "(",
      ")",
      '"a"',
      "'b'",
      "==",
      "!",
      "&&",
      "||",
      "in",
      "has",
      "1",
      "-",
      ",",
      "cel",
      "bind",
      " ",
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(part, { maxLength: 60 }).map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(text, (expression) => {
        expect([true, false, undefined]).toContain(matchesDevice(expression, device));
      }),
    );
  });
});
