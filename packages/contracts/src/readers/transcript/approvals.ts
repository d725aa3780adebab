/** Approvals that stand as items of their own between calls: who asked, who answered, and what ran then. */

import type { ToolCall, TranscriptTurn } from "../../model/evidence.ts";
import { isFields } from "../../model/fields.ts";
import { textField } from "./fields.ts";

/**
 * The turns of items, with each answer to a request for approval on the call that it is about. A request whose call
 * follows as an item of its own is left out, so that one call stands there once.
 */
export function withApprovals(
  items: readonly unknown[],
  read: (item: unknown, index: number) => readonly TranscriptTurn[] | TranscriptTurn,
): TranscriptTurn[] {
  const answers = new Map<string, boolean>();
  const ran = new Set<string>();
  for (const item of items) {
    const request = textField(item, "approval_request_id");
    if (!isFields(item) || request === undefined) continue;
    if (item["type"] === "mcp_approval_response") answers.set(request, item["approve"] === true);
    else ran.add(request);
  }
  return items.flatMap((item, index) => {
    const type = isFields(item) ? item["type"] : undefined;
    const id = textField(item, type === "mcp_approval_request" ? "id" : "approval_request_id");
    if (id !== undefined && type === "mcp_approval_request" && ran.has(id)) return [];
    const turns = [read(item, index)].flat();
    if (id === undefined || (type !== "mcp_approval_request" && type !== "mcp_call")) return turns;
    const answer = answers.get(id);
    const approval: ToolCall["approval"] =
      answer === undefined ? "asked" : answer ? "granted" : "denied";
    return turns.map((turn) => ({
      ...turn,
      calls: turn.calls.map((call) => ({ ...call, approval })),
    }));
  });
}
