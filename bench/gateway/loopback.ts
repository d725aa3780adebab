/** Preloaded into a peer that listens on all interfaces: makes it listen on the loopback interface only. */

import { Server } from "node:net";

// Only called with the receiver that the peer calls it on.
// eslint-disable-next-line typescript/unbound-method
const listen = Server.prototype.listen;

Server.prototype.listen = function listenOnLoopback(this: Server, ...args: unknown[]): Server {
  const [first, ...others] = args;
  const callback = others.find((other) => typeof other === "function");
  const port = typeof first === "object" && first !== null && "port" in first ? first.port : first;
  return Reflect.apply(listen, this, [{ port, host: "127.0.0.1" }, callback]) as Server;
};
