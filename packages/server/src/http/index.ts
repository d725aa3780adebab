/** The control API: the only place that knows HTTP. */

export { openControlApi } from "./open-control-api.ts";
export type { ControlOptions, ControlServices } from "./services.ts";
