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
  /^(?:net\/http\.\(\*(?:persistConn\)\.(?:readLoop|writeLoop)|http2ClientConn\)\.readLoop|http2clientConnReadLoop\)\.run|http2clientStream\)\.(?:writeRequest|doRequest)|Transport\)\.(?:dialConnFor|startDialConnForLocked\.func\d+))|golang\.org\/x\/net\/http2\.\(\*(?:ClientConn|clientConnReadLoop|clientStream)\)\..+|google\.golang\.org\/grpc\/internal\/transport\.\(\*(?:http2Client|loopyWriter|controlBuffer|recvBufferReader)\)\..+|google\.golang\.org\/grpc\/internal\/transport\.newHTTP2Client\..+|github\.com\/go-sql-driver\/mysql\.\(\*mysqlConn\)\.startWatcher\..+|github\.com\/rabbitmq\/amqp091-go\.\(\*Connection\)\..+|net\/rpc\.\(\*Client\)\.input)$/;
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

/** What functions on a stack say, as bits; those of a stack are the union of those of its functions. */
export const marks = {
  profiling: 1,
  notRuntime: 2,
  handler: 4,
  listener: 8,
  pool: 16,
  clientConnection: 32,
  serverConnection: 64,
  /** A body of an HTTP response is being read, or an answer waited for. */
  exchange: 128,
  /** A request is made by the client of `net/http`. */
  clientCall: 256,
  main: 512,
  client: 1_024,
} as const;

const exchanges =
  /^(?:net\/http\.(?:\(\*(?:bodyEOFSignal|body|gzipReader|http2gzipReader|persistConn|http2ClientConn)\)\.(?:Read|roundTrip|RoundTrip)|http2transportResponseBody\.Read)|golang\.org\/x\/net\/http2\.(?:transportResponseBody\.Read|\(\*ClientConn\)\.(?:roundTrip|RoundTrip)))$/;
const clientCalls =
  /^net\/http\.\(\*(?:Client\)\.(?:do|Do|Get|Post|Head|PostForm)|bodyEOFSignal\)\.Read)$/;

/** What the name of one function says. */
export function marksOf(name: string): number {
  let found = ofRuntime.test(name) ? 0 : marks.notRuntime;
  if (name.startsWith("runtime/pprof.")) found |= marks.profiling;
  if (name === "main.main" || name === "runtime.main") found |= marks.main;
  if (clients.some(([pattern]) => pattern.test(name))) found |= marks.client;
  if (handlers.test(name)) found |= marks.handler;
  if (listeners.test(name)) found |= marks.listener;
  if (pools.test(name)) found |= marks.pool;
  if (clientConnections.test(name)) found |= marks.clientConnection;
  if (serverConnections.test(name)) found |= marks.serverConnection;
  if (exchanges.test(name)) found |= marks.exchange;
  if (clientCalls.test(name)) found |= marks.clientCall;
  return found;
}

/** The role of a stack with these marks and this outermost function. */
export function roleOf(found: number, outermost: string): GoroutineRole {
  const has = (mark: number): boolean => (found & mark) !== 0;
  if (has(marks.profiling) || !has(marks.notRuntime) || outermost === "os/signal.loop") {
    return "runtime";
  }
  if (has(marks.client)) return "client";
  if (has(marks.handler)) return "request";
  if (has(marks.listener)) return "listener";
  if (has(marks.pool)) return "pool";
  if (has(marks.clientConnection)) return "client-connection";
  return has(marks.serverConnection) ? "server-connection" : "own";
}

/** The client that a stack belongs to. */
export function clientOf(functions: readonly string[]): string | undefined {
  return clients.find(([pattern]) => functions.some((name) => pattern.test(name)))?.[1];
}
