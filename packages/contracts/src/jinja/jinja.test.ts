import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { parseTemplate } from "./parse-template.ts";
import { renderTemplate } from "./render-template.ts";
import { TemplateError } from "./template-error.ts";

const messages = [
  { role: "system", content: " Be brief. " },
  { role: "user", content: "Hello" },
  { role: "assistant", content: "Hi" },
];

function render(template: string, variables: Readonly<Record<string, unknown>> = {}): string {
  return renderTemplate(parseTemplate(template), { messages, bos_token: "<s>", ...variables });
}

describe("templates", () => {
  it.each([
    ["{{ 'a' ~ 1 }}{{ none }}{{ true }}{{ missing }}", "a1NoneTrue"],
    [
      "{% for m in messages %}{{ loop.index0 }}{{ m['role'] }},{% endfor %}",
      "0system,1user,2assistant,",
    ],
    ["{{ messages[0]['content'] | trim + '!' }}", "Be brief.!"],
    [
      "{% if messages[0].role == 'system' %}\n  {%- set rest = messages[1:] %}\n{% endif %}{{ rest|length }}",
      "2",
    ],
    ["{% for m in messages[::-1] %}{{ m.role[0] }}{% endfor %}", "aus"],
    [
      "{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}",
      "3",
    ],
    [
      "{% macro shout(text, mark='!') %}{{ text | upper }}{{ mark }}{% endmacro %}{{ shout('a') }}{{ shout('b', mark='?') }}",
      "A!B?",
    ],
    ["{{ {'a': [1, true, none], 'b': 'é'} | tojson }}", '{"a": [1, true, null], "b": "é"}'],
    ["{{ {'a': 1} | tojson(indent=2) }}", '{\n  "a": 1\n}'],
    ["{{ 'x' if messages is defined and tools is not defined else 'y' }}", "x"],
    ["{{ 'b' in 'abc' }}{{ 'tool_calls' not in messages[0] }}", "TrueTrue"],
    ["{% for k, v in {'a': 1}.items() %}{{ k }}{{ v }}{% endfor %}", "a1"],
    [
      "{% for m in messages if m.role != 'system' %}{{ m.role }}{% else %}none{% endfor %}",
      "userassistant",
    ],
    ["{{ 'a</think>b'.split('</think>')[-1].lstrip('\\n') }}", "b"],
    [
      "{{ messages | selectattr('role', 'equalto', 'user') | map(attribute='content') | join(',') }}",
      "Hello",
    ],
    ["a\n  {% if true %}\nb\n  {% endif %}\nc\n", "a\nb\nc"],
    ["{#- a comment -#} x {{- ' y ' -}} z", "x y z"],
    ["{{ 7 // 2 }} {{ 7 % 2 }} {{ not false }} {{ -1 + 3 }}", "3 1 True 2"],
    ["{% set text %}in{% endset %}{{ text }}", "in"],
    ["{% for i in range(5) %}{% if i == 3 %}{% break %}{% endif %}{{ i }}{% endfor %}", "012"],
  ])("are rendered as Jinja does: %s", (template, expected) => {
    expect(render(template)).toBe(expected);
  });

  it.each([
    [
      "{{ 'a,b,,c'[::2] }} {{ 'abc'[-2:] }} {{ [1,2,3][::-1] }} {{ [1,2,3,4][-1:0:-2] }}",
      "ab, bc [3, 2, 1] [4, 2]",
    ],
    [
      "{{ {'city': 'Köln', 'n': 3, 'f': 1.5, 't': true, 'z': none, 'l': [1, [2]], 'q': \"it's\", 'e': {}} }}",
      "{'city': 'Köln', 'n': 3, 'f': 1.5, 't': True, 'z': None, 'l': [1, [2]], 'q': \"it's\", 'e': {}}",
    ],
    [
      "{{ 1e20 }} {{ 1.5e-7 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 2 ** 10 }} {{ -3 | abs }}",
      "1e+20 1.5e-07 -4 2 1024 3",
    ],
    [
      "{% macro card(title) %}<{{ title }}>{{ caller() }}{% endmacro %}{% call card('y') %}body{% endcall %}",
      "<y>body",
    ],
    [
      "{{ [3,1,2]|sort }} {{ ['b','A','c']|sort }} {{ [3,1,2]|sort(reverse=true)|join('-') }} {{ messages|sort(attribute='role')|map(attribute='role')|join(' ') }}",
      "[1, 2, 3] ['A', 'b', 'c'] 3-2-1 assistant system user",
    ],
    [
      "{{ [1,2,3]|sum }} {{ [1,2,3]|max }} {{ [1,2,3]|min }} {{ '3'|int + 1 }} {{ 'x'|int(7) }} {{ [1,2,3,4,5]|batch(2)|list }}",
      "6 3 1 4 7 [[1, 2], [3, 4], [5]]",
    ],
    [
      "{{ 'x%sy%d'|format('A', 3) }} {{ 'x%s' % 'q' }} {{ '%05d|%-4s|%.2f|%%' % (42, 'a', 3.14159) }} {{ '{} {a}'.format('z', a=2) }}",
      "xAy3 xq 00042|a   |3.14|% z 2",
    ],
    [
      "{{ \"it's a well-known\"|title }} {{ 'hello World'|capitalize }} {{ 'a b c'|wordcount }} {{ 'a'|center(5) }}|",
      "It's A Well-Known Hello world 3   a  |",
    ],
    [
      "{{ 'a-b-c'.rsplit('-',1) }} {{ '12'.isdigit() }} {{ 'l1\\nl2\\n'.splitlines() }} {{ 'abc'.removeprefix('a') }} {{ 'a,b,c'.replace(',', ';', 1) }}",
      "['a-b', 'c'] True ['l1', 'l2'] bc a;b,c",
    ],
    [
      "{% raw %}{{ not }}{% endraw %}{% for i in range(1,10,3) %}{{ i }}{% endfor %}{{ range(3, 0, -1)|list }}",
      "{{ not }}147[3, 2, 1]",
    ],
    [
      "{{ 2 is gt 1 }} {{ 7 is divisibleby 7 }} {{ 'a' is in ['a'] }} {{ 1.5 is float }} {{ 'Ab' is lower }} {{ true is number }}",
      "True True True True False True",
    ],
    [
      "{% for i in [1,2,2,3] %}{% if loop.changed(i) %}{{ i }}{% endif %}{{ loop.cycle('a','b') }}{% endfor %}",
      "1a2ba3b",
    ],
    ["{% set j = joiner(',') %}{% for i in [1,2,3] %}{{ j() }}{{ i }}{% endfor %}", "1,2,3"],
    [
      "{{ {\"b\":1,\"a\":[]}|tojson(sort_keys=true) }} {{ [1,2]|tojson(separators=(',',':')) }}",
      '{"a": [], "b": 1} [1,2]',
    ],
    [
      "  {%+ if true %}keep{% endif +%}\n{#- c +#}\nx\r\n{% if true %}\r\nq{% endif %}",
      "  keep\nx\nq",
    ],
  ])("are rendered as Jinja 3.1 does, whose texts these are: %s", (template, expected) => {
    expect(render(template)).toBe(expected);
  });

  it.each([
    ["{% if a %}", "unclosed"],
    ["{{ a", "syntax"],
    ["{{ raise_exception('no') }}", "raised"],
    ["{% include 'x' %}", "unsupported"],
    ["{{ 'a' | frobnicate }}", "unsupported"],
    ["{{ a.b.c }}", "failed"],
    ["{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}", "bounded"],
    [
      "{% set ns = namespace(t='aaaaaaaa') %}{% for a in range(9999) %}{% set ns.t = ns.t + ns.t %}{% endfor %}",
      "bounded",
    ],
    ["{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "bounded"],
    [`{{ ${"(".repeat(5_000)} }}`, "bounded"],
  ])("that cannot be rendered say why: %s", (template, kind) => {
    expect(() => render(template)).toThrow(
      expect.objectContaining({ name: "TemplateError", kind }),
    );
  });

  it("give a text or a typed error, whatever they are", () => {
    const piece = fc.constantFrom(
      "{% if a %}",
      "{% endif %}",
      "{% for m in messages %}",
      "{% endfor %}",
      "{{ m }}",
      "{{ m.content | trim }}",
      "{%- set x = 1 %}",
      "{{",
      "}}",
      "%}",
      "'",
      "[",
      "x",
      "\n",
      "{#",
      "#}",
      "-",
      "{{ messages[",
      "loop.index",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        try {
          expect(typeof render(pieces.join(""))).toBe("string");
        } catch (error) {
          if (!(error instanceof TemplateError)) throw error;
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
