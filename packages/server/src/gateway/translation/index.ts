/** Translation of conversations between surfaces: pure, synchronous, and loud about what it cannot carry. */

export type { TranslationContext } from "./replies/reply-context.ts";
export { type Surface, surfaces } from "./surface.ts";
export { translateError, translateReply } from "./translate-reply.ts";
export {
  translateRequest,
  type TranslatedRequest,
  type TranslationPlan,
} from "./translate-request.ts";
export { type StreamTranslation, translateStream } from "./translate-stream.ts";
