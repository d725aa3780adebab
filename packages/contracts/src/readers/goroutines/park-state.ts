/** In which state a goroutine is, by the functions of the runtime that parked it. */

/** From the innermost frame on, the first that says something. */
const byFunction: ReadonlyMap<string, string> = new Map([
  ["runtime.chansend", "chan send"],
  ["runtime.chansend1", "chan send"],
  ["runtime.chanrecv", "chan receive"],
  ["runtime.chanrecv1", "chan receive"],
  ["runtime.chanrecv2", "chan receive"],
  ["runtime.selectgo", "select"],
  ["runtime.block", "select (no cases)"],
  ["runtime.netpollblock", "IO wait"],
  ["internal/poll.runtime_pollWait", "IO wait"],
  ["runtime.timeSleep", "sleep"],
  ["time.Sleep", "sleep"],
  ["sync.runtime_SemacquireMutex", "sync.Mutex.Lock"],
  ["internal/sync.runtime_SemacquireMutex", "sync.Mutex.Lock"],
  ["sync.runtime_SemacquireRWMutexR", "sync.RWMutex.RLock"],
  ["sync.runtime_SemacquireRWMutex", "sync.RWMutex.Lock"],
  ["sync.runtime_SemacquireWaitGroup", "sync.WaitGroup.Wait"],
  ["sync.runtime_Semacquire", "semacquire"],
  ["sync.runtime_notifyListWait", "sync.Cond.Wait"],
  ["os/signal.signal_recv", "syscall"],
  ["syscall.Syscall", "syscall"],
  ["syscall.Syscall6", "syscall"],
  ["syscall.syscall", "syscall"],
  ["runtime.bgsweep", "GC sweep wait"],
  ["runtime.bgscavenge", "GC scavenge wait"],
  ["runtime.gcBgMarkWorker", "GC worker (idle)"],
  ["runtime.forcegchelper", "force gc (idle)"],
  ["runtime.runfinq", "finalizer wait"],
  ["runtime.runFinalizers", "finalizer wait"],
  ["runtime.runCleanups", "cleanup wait"],
]);

/** Functions looked at: the runtime's own come first. */
const lookedAtMax = 8;

/** The state of a stack, innermost function first; nothing where none of them says it. */
export function parkStateOf(functions: readonly string[]): string | undefined {
  for (const name of functions.slice(0, lookedAtMax)) {
    const state = byFunction.get(name);
    if (state === "semacquire") return refined(functions);
    if (state !== undefined) return state;
  }
  return undefined;
}

/** What waits on a semaphore, by the function that asked for it. */
function refined(functions: readonly string[]): string {
  for (const name of functions.slice(0, lookedAtMax)) {
    if (name === "sync.(*WaitGroup).Wait") return "sync.WaitGroup.Wait";
    if (/^(?:internal\/)?sync\.\(\*Mutex\)\.[lL]ock/.test(name)) return "sync.Mutex.Lock";
    if (name === "sync.(*RWMutex).RLock") return "sync.RWMutex.RLock";
    if (name === "sync.(*RWMutex).Lock") return "sync.RWMutex.Lock";
  }
  return "semacquire";
}

/** A state as a dump prints it, without what is not of the state itself. */
export function printedStateOf(
  printed: string,
  functions: readonly string[],
): {
  readonly state: string;
  readonly isLeaked: boolean;
} {
  const isLeaked = printed.includes("(leaked)");
  const state = printed.replaceAll(/ \((?:leaked|scan|durable)\)/g, "").trim();
  if (state !== "semacquire") return { state, isLeaked };
  return { state: refined(functions), isLeaked };
}

/** How many of the innermost frames are the runtime's own and say no more than the state. */
export function parkedFrameCount(functions: readonly string[]): number {
  const first = functions.findIndex((name) => !/^(?:runtime|internal\/runtime\/\w+)\./.test(name));
  return Math.max(first, 0);
}
