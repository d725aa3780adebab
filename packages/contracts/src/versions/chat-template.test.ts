import { describe, expect, it } from "vitest";

import { checkSnapshot } from "../check.ts";
import type { Finding } from "../model/finding.ts";
import { readEvidence } from "../readers/read-evidence.ts";
import { snapshotOf } from "../snapshot/create-snapshot.ts";
import { chatTemplate } from "./chat-template.ts";

function findingsOf(template: string, folder = "served"): Finding[] {
  const files: Record<string, unknown> = {
    "tokenizer_config.json": { tokenizer_class: "X", bos_token: "<s>", eos_token: "</s>" },
    "chat_template.jinja": template,
    "vocab.json": { "<s>": 0, "</s>": 1 },
  };
  const { evidence, unreadable } = readEvidence(
    Object.entries(files)
      .filter(([, value]) => value !== "")
      .map(([name, value]) => ({
        name: `${folder}/${name}`,
        bytes: new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value)),
      })),
  );
  expect(unreadable).toEqual([]);
  return checkSnapshot(snapshotOf(evidence), [chatTemplate]);
}

const verdictsOf = (template: string): string[] =>
  findingsOf(template).map(({ verdict }) => verdict);

const loop = "{% for message in messages %}";
const chatMl = `${loop}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}`;

describe("chat templates that give the model every message", () => {
  it.each([
    ["with turns between marks", chatMl],
    [
      "that begin with the first token in their first turn",
      `{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start|>' + message['role'] + '<|end|>\\n\\n' + message['content'] | trim + '<|eot|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}`,
    ],
    [
      "that hold turns to an order",
      `{{ bos_token }}${loop}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Turns must alternate') }}{% endif %}{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token }}{% else %}{{ raise_exception('Only two roles') }}{% endif %}{% endfor %}`,
    ],
    [
      "that look backwards for the last question",
      `{%- set ns = namespace(is_tool=true, last=messages|length - 1) %}\n{%- for message in messages[::-1] %}\n    {%- set index = (messages|length - 1) - loop.index0 %}\n    {%- if ns.is_tool and message.role == "user" and message.content is string and not(message.content.startswith('<r>') and message.content.endswith('</r>')) %}\n        {%- set ns.is_tool = false %}\n        {%- set ns.last = index %}\n    {%- endif %}\n{%- endfor %}\n${loop}{{- '<|' + message.role + '|>' + message.content }}{%- if tools %}{{ tools | tojson }}{% endif %}{% endfor %}`,
    ],
    [
      "that take content in parts alone",
      `{{ bos_token }}${loop}{%- for part in message['content'] %}{% if part['type'] == 'image' %}<image>{% elif part['type'] == 'text' %}{{ part['text'] | trim }}{% endif %}{%- endfor %}{% endfor %}`,
    ],
    [
      "with a macro, and a date where there is a clock",
      `{%- macro show(content) -%}{%- if content is string -%}{{ content }}{%- else -%}{{ content[0].text }}{%- endif -%}{%- endmacro -%}{%- if strftime_now is defined %}{%- set date = strftime_now("%d %b %Y") %}{%- endif %}{{ date }}${loop}{{ show(message.content) }}{% endfor %}`,
    ],
  ])("hold: %s", (_name, template) => {
    expect(verdictsOf(template)).toEqual(["holds"]);
  });
});

describe("chat templates that are at fault", () => {
  it.each([
    ["a loop that does not end", "{% for message in messages %}{{ message.content }}", "cut"],
    ["another name of the content", chatMl.replaceAll("'content'", "'role'"), "leaves out"],
    ["the first token twice", `{{ bos_token }}{{ bos_token }}${chatMl}`, "twice"],
  ])("are violated: %s", (_name, template, words) => {
    const [finding] = findingsOf(template);
    expect(finding?.verdict).toBe("violated");
    expect(finding?.title).toContain(words);
  });
});

describe("chat templates of which nothing can be said", () => {
  it.each([
    ["one that refuses this conversation", `{{ raise_exception('needs documents') }}${chatMl}`],
    ["one with what is not known here", `{{ messages | frobnicate }}`],
    [
      "one that takes too long",
      `{% for a in range(9999) %}{% for b in range(9999) %}{{ messages }}{% endfor %}{% endfor %}`,
    ],
  ])("are inconclusive: %s", (_name, template) => {
    expect(verdictsOf(template)).toEqual(["inconclusive"]);
  });

  it("are inconclusive where a model for conversations has none, and no matter where another has none", () => {
    expect(findingsOf("", "small-7b-instruct").map(({ verdict }) => verdict)).toEqual([
      "inconclusive",
    ]);
    expect(findingsOf("", "small-7b")).toEqual([]);
  });
});
