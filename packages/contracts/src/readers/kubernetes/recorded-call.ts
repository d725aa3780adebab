/** The wrapper that recorded tools put around the text of kubectl: what was asked, and how the call ended. */

/** Lines about the call; what follows in the same form is the recorded text itself. */
const headerLineCountMax = 4;

/** A text without its wrapper. */
export interface RecordedText {
  /** The lines about the call, one below the other; empty where the text has none. */
  readonly header: string;
  readonly body: string;
  /** Where the recorded command says so: the namespace of tables that do not print one. */
  readonly namespace: string | undefined;
  /** What the wrapper says that the body is, whatever it looks like. */
  readonly holds: "objects" | "logs" | undefined;
}

/** Recorded tools put lines of JSON about the call before the output, `stdout:` above and `stderr:` below it. */
export function stripWrapper(text: string): RecordedText {
  let rest = text.startsWith("\uFEFF") ? text.slice(1) : text;
  let header = "";
  let namespace: string | undefined;
  for (let count = 0; count < headerLineCountMax; count += 1) {
    const line = firstLine(rest);
    if (!isWrapperLine(line)) break;
    header += `${line}\n`;
    namespace =
      /"invocation":\s*"kubectl [^"]*\s(?:-n|--namespace)[ =]([a-z0-9.-]+)/.exec(line)?.[1] ??
      namespace;
    rest = rest.slice(line.length).replace(/^\r?\n/, "");
  }
  const recorded = { header, namespace, holds: contentOf(header) };
  const opened = /^\s*stdout:[ \t]*\r?\n/.exec(rest);
  if (opened === null) return { ...recorded, body: rest };
  rest = rest.slice(opened[0].length);
  const closed = rest.search(/^stderr:/m);
  return { ...recorded, body: closed < 0 ? rest : rest.slice(0, closed) };
}

function contentOf(header: string): RecordedText["holds"] {
  if (/"kubectl[_ ](?:find_resource|get|describe|events|top|rollout|lineage)/.test(header))
    return "objects";
  const isLogs =
    /"tool_name":\s*"[^"]{0,256}logs?(?:[_"])/.test(header) ||
    /"invocation":\s*"kubectl [^"]{0,1024}?\blogs\b/.test(header);
  return isLogs ? "logs" : undefined;
}

function firstLine(text: string): string {
  const end = text.indexOf("\n");
  return end < 0 ? text : text.slice(0, end).replace(/\r$/, "");
}

/** A line of a log may name a tool, too; it has a level, which no wrapper has. */
function isWrapperLine(line: string): boolean {
  if (/"(?:level|severity|lvl)"\s*:/.test(line)) return false;
  return /^\{.*"(?:toolset_name|tool_name|schema_version|invocation)"\s*:/.test(line);
}
