/** The place in a program's own code that a stack trace in a log leads to. */

/** A frame of Java, of Go, of Node, of .NET or of Python; each line of a trace holds one at most. */
const frames: readonly RegExp[] = [
  /^\s{0,64}at ([\w$.]{1,256}\.[\w$<>]{1,128}\([\w$]{1,128}\.(?:java|kt|scala|groovy):\d{1,7}\))/,
  /^\s{0,64}at (?:.{1,256} in )([\w./\\-]{1,256}\.(?:cs|fs|vb):line \d{1,7})/,
  /^\s{0,64}at (?:[^()]{1,256} \()?(?:file:\/\/)?((?:\/|[A-Z]:\\)[^()\s:]{1,256}\.[cm]?[jt]sx?:\d{1,7})/,
  /^\s{0,64}File "([^"]{1,256}\.py", line \d{1,7})/,
  /^\s{0,64}((?:\/|[\w.-]{1,64}\/)[\w./@-]{1,256}\.(?:go|rs|rb|php):\d{1,7})/,
];

/** Frames of runtimes, frameworks and libraries, which fail only for those who call them. */
const foreign =
  /^(?:java|javax|jdk|sun|kotlin|scala|jakarta|org\.(?:springframework|apache|hibernate|eclipse|jboss)|com\.(?:sun|google|fasterxml|netflix)|io\.(?:grpc|netty|opentelemetry|micrometer)|reactor)\.|\/(?:usr|lib|goroot)\/|site-packages|dist-packages|node_modules|node:|\/go\/pkg\/|\/runtime\/|<frozen/;

/** Lines of a trace that are looked at. */
const lineCountMax = 200;

/** The first own frame of a trace; of one that ends in what failed, as Python's does, the last. */
export function ownFrameOf(text: string): string | undefined {
  let found: string | undefined;
  for (const line of text.split("\n", lineCountMax)) {
    const frame = frames
      .map((pattern) => pattern.exec(line)?.[1])
      .find((match) => match !== undefined);
    if (frame === undefined || foreign.test(frame)) continue;
    const isPython = frame.includes('.py"');
    if (!isPython) return frame;
    found = frame.replace('.py", line ', ".py:");
  }
  return found;
}
