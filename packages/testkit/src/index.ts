/** What tests share: a database of their own, a clock that they move, and seeded chance. */

export { seededRandom } from "@faultline/server/kernel/index.ts";
export { firstOutput, type SpeakingProcess } from "./first-output.ts";
export { freePort } from "./free-port.ts";
export { type SimulatedClock, simulatedClock } from "./simulated-clock.ts";
export { openTemporaryFolder, type TemporaryFolder } from "./temporary-folder.ts";
export { openTestDatabase, type TestDatabase } from "./test-database.ts";
export { until } from "./until.ts";
