/** Named limits of the allocator and of reservations. */

/** The highest priority; the lowest is 0. */
export const priorityMax = 9;
/** Devices of one node. */
export const nodeDeviceCountMax = 1_024;
export const nodeCountMax = 10_000;
/** Jobs that may wait at once, of all tenants. */
export const waitingCountMax = 100_000;
/** Members of one gang. */
export const memberCountMax = 4_096;
/** Regions that one job may name. */
export const jobRegionCountMax = 64;
/** The longest reservation: 30 days. */
export const jobDurationMsMax = 30 * 86_400_000;
/** Running jobs that are considered as victims of one preemption. */
export const victimCountMax = 4_096;
/** Ends of jobs that an explanation looks ahead. */
export const explanationEndCountMax = 2_000;
/** Changes that an explanation tries one after another. */
export const remedyStepCountMax = 128;
/** Rounds of one pass: another follows when jobs were preempted, as what they leave may let others start. */
export const roundCountMax = 16;
/** Touches of nodes that a lane recalls; what did not fit longer ago is looked at on all nodes. */
export const touchCountMax = 64;
/** Jobs that a pass puts into lists of their own; when more may start, it walks through all in their order. */
export const candidateCountMax = 256;
/** What the ledger has not been told yet; beyond it nothing more is begun. */
export const ledgerQueueLengthMax = 1_000_000;
/** Reservations of one tenant that have not ended. */
export const openReservationCountMax = 1_000;
/** Rounds of one look in which the ledger is told what came while it was told what came before. */
export const tellRoundCountMax = 4;
/** The dearest reservation; the largest amount that the ledger holds at once. */
export const costMicrosMax = 1_000_000_000_000_000n;
/** How often reservations are looked at without anybody asking. */
export const tickIntervalMs = 1_000;
/** How often the work under way is compared with the open holds of the ledger. */
export const reconcileIntervalMs = 300_000;
/** Reservations that one list shows. */
export const reservationListCountMax = 1_000;
/** Differences of one kind between reservations and the ledger that one comparison tells; as many as the books tell. */
export const findingCountMax = 100;
/** Of those, what is logged of one tenant. */
export const loggedCountMax = 20;
