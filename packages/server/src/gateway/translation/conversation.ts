/**
 * A request in the middle of its translation: a conversation, the tools, and how to answer. Each reader makes one, each
 * writer takes one, so that three readers and three writers make all pairs. `at` is the JSON pointer to where a part
 * stood in the caller's body; losses and refusals name it.
 */

import type { JsonObject } from "../wire/json-values.ts";
import type { ReasoningState } from "./reasoning-state.ts";

export interface Conversation {
  readonly turns: readonly Turn[];
  readonly tools: readonly Tool[];
  readonly toolChoice: ToolChoice | undefined;
  /** Absent: as the provider decides. */
  readonly parallelTools: boolean | undefined;
  readonly answer: AnswerSettings;
  readonly stream: boolean;
  /** Whether a streamed answer ends with its usage. */
  readonly asksForUsage: boolean;
  /** Fields of the same name and meaning in the OpenAI surfaces; the messages surface has none of them. */
  readonly shared: JsonObject;
}

export type Turn =
  | { readonly kind: "system"; readonly role: SystemRole; readonly texts: readonly TextPart[] }
  | { readonly kind: "user"; readonly parts: readonly UserPart[]; readonly at: string }
  | { readonly kind: "assistant"; readonly parts: readonly AssistantPart[]; readonly at: string }
  | ToolResult;

export type SystemRole = "system" | "developer";

export interface TextPart {
  readonly kind: "text";
  readonly text: string;
}

/** `url` or base64 `data` of a `mediaType`. */
export type Source =
  | { readonly kind: "url"; readonly url: string }
  | { readonly kind: "data"; readonly mediaType: string; readonly data: string };

export interface ImagePart {
  readonly kind: "image";
  readonly source: Source;
  /** OpenAI's detail, when it is not left to the provider. */
  readonly detail: string | undefined;
  readonly at: string;
}

export interface FilePart {
  readonly kind: "file";
  readonly source: Source;
  readonly name: string | undefined;
  readonly at: string;
}

export type UserPart = TextPart | ImagePart | FilePart;

export type AssistantPart =
  | TextPart
  | { readonly kind: "refusal"; readonly text: string }
  | {
      readonly kind: "reasoning";
      readonly text: string;
      readonly state: ReasoningState | undefined;
      readonly at: string;
    }
  | ToolCall;

export interface ToolCall {
  readonly kind: "tool-call";
  readonly id: string;
  readonly name: string;
  /** JSON text of an object, or free text when the tool is `custom`. */
  readonly input: string;
  readonly custom: boolean;
  readonly at: string;
}

export interface ToolResult {
  readonly kind: "tool-result";
  readonly callId: string;
  readonly parts: readonly UserPart[];
  readonly custom: boolean;
  readonly at: string;
}

export type Tool =
  | {
      readonly kind: "function";
      readonly name: string;
      readonly description: string | undefined;
      readonly parameters: JsonObject | undefined;
      readonly strict: boolean | undefined;
      readonly at: string;
    }
  | {
      readonly kind: "custom";
      readonly name: string;
      readonly description: string | undefined;
      /** OpenAI's format of the free text, in the shape of the responses surface. */
      readonly format: JsonObject | undefined;
      readonly at: string;
    };

export type ToolChoice =
  | { readonly kind: "auto" }
  | { readonly kind: "none" }
  | { readonly kind: "required" }
  | { readonly kind: "named"; readonly name: string; readonly custom: boolean }
  | {
      readonly kind: "allowed";
      readonly mode: "auto" | "required";
      readonly names: readonly string[];
      readonly at: string;
    };

export interface AnswerSettings {
  readonly maxTokens: number | undefined;
  readonly temperature: number | undefined;
  readonly topP: number | undefined;
  readonly stop: readonly string[];
  readonly format: OutputFormat | undefined;
  readonly effort: Effort | undefined;
  /** Whether the caller wants to see the reasoning. */
  readonly showsReasoning: boolean;
  readonly verbosity: string | undefined;
  /** Who the end user is, as one opaque text. */
  readonly userId: string | undefined;
}

/** How much to reason. The surfaces know the same words. */
export type Effort = "none" | "minimal" | "low" | "medium" | "high" | "xhigh" | "max";

export type OutputFormat =
  | { readonly kind: "json-object"; readonly at: string }
  | {
      readonly kind: "json-schema";
      readonly name: string | undefined;
      readonly description: string | undefined;
      readonly schema: JsonObject | undefined;
      readonly strict: boolean | undefined;
      readonly at: string;
    };
