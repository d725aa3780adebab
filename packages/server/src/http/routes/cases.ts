/** Cases: from a symptom to a proof. */

import { documentPolicy } from "../security-headers.ts";
import type { ApiHandlers, HandlerParts } from "../services.ts";

type Names =
  | "listCases"
  | "openCase"
  | "readCase"
  | "verifyCase"
  | "addMitigation"
  | "closeCase"
  | "readReport"
  | "readCaseSnapshot";

/** Handlers of `/api/cases`. */
export function caseHandlers({ services }: HandlerParts): Pick<ApiHandlers, Names> {
  const { cases } = services;
  return {
    async listCases({ query }, { scope }) {
      return cases.list(scope, query ?? {});
    },
    async openCase({ body }, { scope, principal }) {
      return cases.openCase({ ...scope, actor: principal.keyName }, body);
    },
    async readCase({ params }, { scope }) {
      return cases.read(scope, params.id);
    },
    async verifyCase({ params, body }, { scope, principal }) {
      return cases.verify({ ...scope, actor: principal.keyName }, params.id, body);
    },
    async addMitigation({ params, body }, { scope, principal }) {
      return cases.addMitigation({ ...scope, actor: principal.keyName }, params.id, body.text);
    },
    async closeCase({ params, body }, { scope, principal }) {
      return cases.close({ ...scope, actor: principal.keyName }, params.id, body.reason);
    },
    async readReport({ params, query }, { scope, reply }) {
      const format = query?.format ?? "markdown";
      const report = await cases.report(scope, params.id, format);
      reply.type(format === "html" ? "text/html; charset=utf-8" : "text/markdown; charset=utf-8");
      reply.header("content-security-policy", documentPolicy);
      return report;
    },
    async readCaseSnapshot({ params }, { scope, reply }) {
      const bytes = await cases.snapshotFile(scope, params.id, params.snapshotId);
      const fileName = `case-${params.id}-${params.snapshotId.slice("sha256:".length, "sha256:".length + 12)}.faultline`;
      reply.type("application/vnd.faultline.snapshot");
      reply.header("content-disposition", `attachment; filename="${fileName}"`);
      return bytes;
    },
  };
}
