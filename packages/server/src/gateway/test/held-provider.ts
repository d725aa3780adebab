/** For tests: a provider whose answers wait for the test. */

import { openTestServer, type TestServer } from "./test-gateway.ts";

/** A provider that holds its answers until the test lets them go, and counts how many it holds. */
export interface HeldProvider extends AsyncDisposable {
  readonly server: TestServer;
  held: number;
  /** Resolves when exactly so many are held. */
  whenHeld(count: number): Promise<void>;
  /** Answers those that are held, and all that come. */
  release(): void;
  hold(): void;
}

/** Opens one; the usage is what each of its answers reports. */
export async function openHeldProvider(
  usage = { prompt_tokens: 5, completion_tokens: 5 },
): Promise<HeldProvider> {
  const answers = new Set<() => void>();
  const waiters = new Set<() => void>();
  const wake = (): void => {
    for (const waiter of waiters) waiter();
  };
  let isHolding = true;
  const server = await openTestServer((request, response) => {
    request.resume();
    request.on("end", () => {
      provider.held += 1;
      const left = (): void => {
        if (!answers.delete(answer)) return;
        provider.held -= 1;
        wake();
      };
      const answer = (): void => {
        left();
        response.setHeader("content-type", "application/json");
        response.setHeader("x-ratelimit-limit-requests", "99999");
        response.end(
          JSON.stringify({
            id: "r",
            object: "chat.completion",
            created: 0,
            model: "m",
            choices: [
              { index: 0, message: { role: "assistant", content: "hi" }, finish_reason: "stop" },
            ],
            usage: { ...usage, total_tokens: usage.prompt_tokens + usage.completion_tokens },
          }),
        );
      };
      answers.add(answer);
      response.on("close", left);
      wake();
      if (!isHolding) answer();
    });
  });
  const provider: HeldProvider = {
    server,
    held: 0,
    async whenHeld(count) {
      while (provider.held !== count) {
        const next = Promise.withResolvers<void>();
        waiters.add(next.resolve);
        await next.promise;
        waiters.delete(next.resolve);
      }
    },
    release() {
      isHolding = false;
      for (const answer of answers) answer();
    },
    hold() {
      isHolding = true;
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
  return provider;
}
