/** The console's way to the control API of the server that served it; the session cookie speaks for it. */

import { createClient } from "@faultline/protocol";

export const client = createClient({
  baseUrl: "",
  trustReplies: true,
  // Called through the window: a browser refuses a detached `fetch`.
  fetch: (input, init) => fetch(input, init),
});

/** Freezing evidence and running every contract over it may take longer than reading. */
export const caseDeadlineMs = 300_000;
