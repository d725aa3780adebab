import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

import { chatFields } from "./fields/chat-fields.ts";
import type { FieldTable } from "./fields/field-table.ts";
import { messagesFields } from "./fields/messages-fields.ts";
import { responsesFields } from "./fields/responses-fields.ts";
import { translationReference } from "./reference.ts";
import { type Surface, surfaces } from "./surface.ts";
import type { Loose } from "./test/exchange.ts";

const openapiPath = fileURLToPath(
  new URL("../../../../../../shared/data/openai-openapi/openapi.json", import.meta.url),
);
const tables: Readonly<Record<Surface, Readonly<Record<string, FieldTable>>>> = {
  chat: chatFields,
  responses: responsesFields,
  messages: messagesFields,
};

describe("the tables of fields", () => {
  it("are what the reference says (docs/reference/translation.md)", async () => {
    await expect(translationReference()).toMatchFileSnapshot(
      "../../../../../docs/reference/translation.md",
    );
  });

  it("say for each field of a request what becomes of it on every way", () => {
    for (const from of surfaces) {
      const request = tables[from]["request"];
      for (const [name, { to }] of Object.entries(request?.fields ?? {})) {
        const targets = surfaces.filter((surface) => surface !== from);
        expect(Object.keys(to).sort(), `${from}: ${name}`).toEqual([...targets].sort());
      }
    }
  });

  it.skipIf(!existsSync(openapiPath)).each([
    ["chat", "CreateChatCompletionRequest", chatFields.request],
    ["responses", "CreateResponse", responsesFields.request],
    ["chat", "FunctionObject", chatFields.function],
    ["chat", "ChatCompletionRequestUserMessage", chatFields.userMessage],
    ["chat", "ChatCompletionRequestAssistantMessage", chatFields.assistantMessage],
    ["responses", "FunctionTool", responsesFields.functionTool],
    ["responses", "FunctionToolCall", responsesFields.functionCall],
    ["responses", "ReasoningItem", responsesFields.reasoning],
    ["responses", "Reasoning", responsesFields.reasoningSettings],
    ["responses", "InputImageContent", responsesFields.imagePart],
    ["responses", "InputFileContent", responsesFields.filePart],
  ])(
    "name every field that OpenAI publishes for %s: %s (skipped without ../shared/data/openai-openapi)",
    (_, schema, table: FieldTable) => {
      const { schemas } = JSON.parse(readFileSync(openapiPath, "utf8")).components;
      const names = propertiesOf(schemas[schema], schemas);
      expect(names.length).toBeGreaterThan(2);
      expect(names.filter((name) => !Object.hasOwn(table.fields, name))).toEqual([]);
    },
  );
});

function propertiesOf(schema: Loose, schemas: Loose): string[] {
  if (schema.$ref !== undefined)
    return propertiesOf(schemas[schema.$ref.split("/").at(-1)], schemas);
  const own = Object.keys(schema.properties ?? {});
  return [...own, ...(schema.allOf ?? []).flatMap((part: Loose) => propertiesOf(part, schemas))];
}
