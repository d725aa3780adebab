/** How urgent a call is: what its key says, from the most urgent down. */

export const priorities = ["interactive", "standard", "batch"] as const;

export type Priority = (typeof priorities)[number];
