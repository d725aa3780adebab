/** The surfaces between which conversations are translated. */

/** OpenAI chat completions, OpenAI responses, Anthropic messages. */
export type Surface = "chat" | "responses" | "messages";

/** All of them, in the order in which documents list them. */
export const surfaces = ["chat", "responses", "messages"] as const satisfies readonly Surface[];

/** What a surface is called in a sentence. */
export const surfaceTitles: Readonly<Record<Surface, string>> = {
  chat: "chat completions",
  responses: "responses",
  messages: "messages",
};
