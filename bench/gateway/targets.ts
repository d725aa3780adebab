/** The processes that stand side by side in a gateway benchmark: one provider, and the targets that relay to it. */

import { pinLoad, startPeer, startRole, type Target } from "./target.ts";

export interface GatewayTargets extends AsyncDisposable {
  readonly upstream: Target;
  readonly targets: readonly Target[];
}

/** Starts them and moves this process to the core of the load, until they are disposed of. */
export async function startTargets(
  roles: readonly ("proxy" | "relay" | "faultline")[],
  { hasPeer = false, adapts = true } = {},
): Promise<GatewayTargets> {
  await using stack = new AsyncDisposableStack();
  const unpin = pinLoad();
  stack.defer(unpin);
  const upstream = stack.use(await startRole("upstream"));
  const targets: Target[] = [];
  for (const role of roles) {
    targets.push(stack.use(await startRole(role, { upstreamPort: upstream.port, adapts })));
  }
  if (hasPeer) targets.push(stack.use(await startPeer(upstream.port)));
  const moved = stack.move();
  return {
    upstream,
    targets,
    [Symbol.asyncDispose]: async () => await moved.disposeAsync(),
  };
}
