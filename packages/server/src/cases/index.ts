/** Cases: investigations that lead from a symptom to a verified cause and a verified repair. */

export { type ActorScope, Cases, type CasesOptions } from "./cases.ts";
export type { TraceSource } from "./freeze-snapshot.ts";
export { caseLimits } from "./limits.ts";
