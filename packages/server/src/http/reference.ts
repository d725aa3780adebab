/** The generated parts of `docs/reference`, as text. */

import { settingsReference, settingsSchema } from "#config/index.ts";
import { errorCodes, errorTable } from "@faultline/protocol";

import { createOpenApi } from "./openapi.ts";

/** Every generated file by its name. */
export function referenceFiles(): Record<string, string> {
  return {
    "openapi.json": openApiReference(),
    "errors.md": errorsReference(),
    "settings.md": settingsReference(),
    "faultline.schema.json": settingsSchema(),
  };
}

/** The OpenAPI document, one value a line, so that a change shows as one. */
function openApiReference(): string {
  return `${JSON.stringify(createOpenApi(), undefined, 2)}\n`;
}

const actors = {
  caller: "the caller",
  operator: "the operator",
  provider: "the model provider",
  faultline: "Faultline",
} as const;

/** The table of error codes. */
function errorsReference(): string {
  const rows = errorCodes.map((code) => {
    const { status, actor, retryable, meaning } = errorTable[code];
    return `| \`${code}\` | ${status} | ${actors[actor]} | ${retryable ? "yes" : "no"} | ${meaning} |`;
  });
  return `# Error codes

Every error that leaves Faultline has one of these codes. A code is never renamed or reused. The control API sends
\`{"error": {"code", "message", "retryable", "hint"?, "where"?}}\`; the gateway sends the code as \`error.code\` of OpenAI's
error shape; OTLP sends it at the start of the message of \`google.rpc.Status\`; the command line prints it.

This page is generated from \`packages/protocol/src/errors.ts\` by \`node packages/server/src/http/generate-openapi.ts\`.

| code | HTTP status | who must act | the same request may succeed later | meaning |
| --- | --- | --- | --- | --- |
${rows.join("\n")}
`;
}
