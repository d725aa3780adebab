import { expect, it } from "vitest";

import { findRepeatedField } from "./repeated-field.ts";

it.each([
  ['{"a":1,"a":2}', { name: "a", at: 7 }],
  ['{"a":1,"\\u0061":2}', { name: "a", at: 7 }],
  ['{"x":[{"b":{}},{"b":1, "b" :2}]}', { name: "b", at: 23 }],
  ['{"__proto__":1,"__proto__":2}', { name: "__proto__", at: 15 }],
  ['{"a":{"b":1},"b":{"a":2}}', undefined],
  ['[{"a":1},{"a":2}]', undefined],
  ['{"a":"{\\"a\\":1,\\"a\\":2}","b":"\\\\"}', undefined],
  ['{"a":"a","b":"a"}', undefined],
  ['"a"', undefined],
] as const)("finds in %s what is repeated", (text, found) => {
  expect(() => JSON.parse(text)).not.toThrow();
  expect(findRepeatedField(text)).toEqual(found);
});
