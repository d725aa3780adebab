/** What goroutines of known libraries are there for, by the functions on their stacks. */

/**
 * - `runtime`: Go's own workers, signal handlers and the goroutine that took the recording.
 * - `listener`: waits for connections.
 * - `server-connection`: waits for the next request of a connection that somebody else opened.
 * - `client-connection`: reads or writes a connection of a client's pool.
 * - `client`: one for each client of a library, as long as that client lives.
 * - `request`: serves a request.
 * - `pool`: a worker of a library whose pools are bounded.
 * - `own`: everything else.
 */
export type GoroutineRole =
  | "runtime"
  | "listener"
  | "server-connection"
  | "client-connection"
  | "client"
  | "request"
  | "pool"
  | "own";

const handlers =
  /^(?:net\/http\.serverHandler\.ServeHTTP|net\/http\.HandlerFunc\.ServeHTTP|net\/http\.\(\*ServeMux\)\.ServeHTTP|net\/http\.initALPNRequest\.ServeHTTP|google\.golang\.org\/grpc\.\(\*Server\)\.(?:handleStream|processUnaryRPC|processStreamingRPC)|github\.com\/valyala\/fasthttp\.\(\*Server\)\.serveConn|net\/rpc\.\(\*service\)\.call)$/;
const listeners =
  /^(?:net\.\(\*\w+Listener\)\.Accept\w*|net\.\(\*netFD\)\.accept|internal\/poll\.\(\*FD\)\.Accept|crypto\/tls\.\(\*listener\)\.Accept)$/;
const serverConnections =
  /^(?:net\/http\.\(\*(?:conn\)\.serve|connReader\)\.backgroundRead|http2serverConn\)\.(?:serve|readFrames|writeFrameAsync))|golang\.org\/x\/net\/http2\.\(\*serverConn\)\..+|google\.golang\.org\/grpc\/internal\/transport\.\(\*http2Server\)\..+|google\.golang\.org\/grpc\/internal\/transport\.NewServerTransport\..+|google\.golang\.org\/grpc\.\(\*Server\)\.(?:serveStreams|handleRawConn).*|github\.com\/valyala\/fasthttp\.\(\*workerPool\)\.workerFunc|net\/rpc\.\(\*Server\)\.ServeCodec)$/;
const clientConnections =
  /^(?:net\/http\.\(\*(?:persistConn\)\.(?:readLoop|writeLoop)|http2ClientConn\)\.readLoop|http2clientConnReadLoop\)\.run|Transport\)\.(?:dialConnFor|startDialConnForLocked\.func\d+))|golang\.org\/x\/net\/http2\.\(\*(?:ClientConn|clientConnReadLoop)\)\..+|google\.golang\.org\/grpc\/internal\/transport\.\(\*(?:http2Client|loopyWriter|controlBuffer|recvBufferReader)\)\..+|google\.golang\.org\/grpc\/internal\/transport\.newHTTP2Client\..+|github\.com\/go-sql-driver\/mysql\.\(\*mysqlConn\)\.startWatcher\..+|github\.com\/rabbitmq\/amqp091-go\.\(\*Connection\)\..+|net\/rpc\.\(\*Client\)\.input)$/;
const clients: readonly (readonly [RegExp, string])[] = [
  [/^database\/sql\.\(\*DB\)\.connection(?:Opener|Resetter)$/, "sql.DB"],
  [
    /^google\.golang\.org\/grpc\/internal\/grpcsync\.\(\*CallbackSerializer\)\.run$/,
    "grpc.ClientConn",
  ],
  [/^go\.mongodb\.org\/mongo-driver(?:\/v2)?\/.*topology\.\(\*Server\)\.update$/, "mongo.Client"],
  [/^github\.com\/(?:redis\/go-redis|go-redis\/redis).*\.\(\*ConnPool\)\.reaper$/, "redis.Client"],
  [
    /^github\.com\/jackc\/(?:pgx\/v\d+\/)?pgxpool\.\(\*Pool\)\.backgroundHealthCheck$/,
    "pgxpool.Pool",
  ],
  [/^github\.com\/nats-io\/nats\.go\.\(\*Conn\)\.flusher$/, "nats.Conn"],
  [
    /^go\.opentelemetry\.io\/otel\/sdk\/trace\.\(\*batchSpanProcessor\)\.processQueue$/,
    "otel span processor",
  ],
  [/^go\.opencensus\.io\/stats\/view\.\(\*worker\)\.start$/, "opencensus view worker"],
];
const pools =
  /^(?:github\.com\/panjf2000\/ants\/.*\.\(\*\w*[wW]orker\w*\)\..+|github\.com\/gammazero\/workerpool\..+|github\.com\/alitto\/pond.*|github\.com\/Jeffail\/tunny\..+|google\.golang\.org\/grpc\.\(\*Server\)\.serverWorker|github\.com\/sourcegraph\/conc\/pool\..+|database\/sql\.\(\*DB\)\.connectionCleaner|k8s\.io\/(?:apimachinery|client-go)\/.+)$/;
const ofRuntime =
  /^(?:runtime\.(?!main$).+|runtime\/(?:pprof|debug|trace)\..+|os\/signal\.(?:loop|signal_recv)|internal\/runtime\/.+|runtime_mcall|testing\.(?:tRunner|runTests|\(\*T\)\.(?:Run|Parallel)|\(\*M\)\..+))$/;

/** The role of a stack, innermost function first, and the client that it is one of. */
export function roleOf(functions: readonly string[]): {
  readonly role: GoroutineRole;
  readonly client?: string;
} {
  const has = (pattern: RegExp): boolean => functions.some((name) => pattern.test(name));
  const last = functions.at(-1) ?? "";
  if (functions.some((name) => name.startsWith("runtime/pprof."))) return { role: "runtime" };
  if (functions.every((name) => ofRuntime.test(name)) || /^os\/signal\.loop$/.test(last)) {
    return { role: "runtime" };
  }
  for (const [pattern, client] of clients) if (has(pattern)) return { role: "client", client };
  if (has(handlers)) return { role: "request" };
  if (has(listeners)) return { role: "listener" };
  if (has(pools)) return { role: "pool" };
  if (has(clientConnections)) return { role: "client-connection" };
  if (has(serverConnections)) return { role: "server-connection" };
  return { role: "own" };
}
