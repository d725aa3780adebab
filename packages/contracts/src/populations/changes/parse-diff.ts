/** A diff as lines that were taken out and put in, file by file; lenient, because sources shorten their diffs. */

export interface DiffLine {
  readonly sign: "+" | "-" | " ";
  readonly text: string;
}

export interface DiffHunk {
  /** What stands behind the marks of the hunk: the function that it lies in. */
  readonly heading: string;
  readonly lines: readonly DiffLine[];
}

export interface DiffFile {
  readonly path: string;
  readonly hunks: readonly DiffHunk[];
}

/** Lines of one diff that are looked at. */
const lineCountMax = 20_000;
const lineLengthMax = 2_000;

/** The files of a diff. Lines that stand in front of any name of a file belong to `fallbackPath`. */
export function parseDiff(diff: string, fallbackPath: string): DiffFile[] {
  const files: { path: string; hunks: { heading: string; lines: DiffLine[] }[] }[] = [];
  const open = (path: string): void => {
    const last = files.at(-1);
    if (last?.path !== path) files.push({ path, hunks: [] });
  };
  const hunk = (heading: string): void => {
    if (files.length === 0) open(fallbackPath);
    files.at(-1)?.hunks.push({ heading, lines: [] });
  };
  for (const written of diff.split("\n", lineCountMax)) {
    const line = written.slice(0, lineLengthMax).replace(/\r$/, "");
    const named = pathOf(line);
    if (named !== undefined) open(named);
    else if (line.startsWith("@@")) {
      const { path, heading } = headingOf(line);
      if (path !== undefined) open(path);
      hunk(heading);
    } else if (/^[+\- ]/.test(line) && !/^(?:--- |\+\+\+ )/.test(line)) {
      if (files.at(-1)?.hunks.at(-1) === undefined) hunk("");
      // The pattern above leaves these three.
      const sign = line[0] as DiffLine["sign"];
      files
        .at(-1)
        ?.hunks.at(-1)
        ?.lines.push({ sign, text: line.slice(1) });
    }
  }
  return files;
}

function pathOf(line: string): string | undefined {
  const git =
    /^diff --git (?:a\/)?\S+ (?:b\/)?(\S+)$/.exec(line) ?? /^\+\+\+ (?:b\/)?(\S+)/.exec(line);
  const path = git?.[1];
  return path === undefined || path === "/dev/null" ? undefined : path;
}

/** `@@ -1,2 +3,4 @@ func f()`, and what sources make of it: `@@ a/b.go: func f()`, `@@ a/b.go @@`. */
function headingOf(line: string): { path?: string; heading: string } {
  const rest = line.replace(/^@@ ?(?:-\d+(?:,\d+)? \+\d+(?:,\d+)? ?)?/, "");
  const named =
    /^([\w./@-]+\.\w{1,10}|[\w.-]+(?:\/[\w.-]+)+|Dockerfile|Makefile)(?::| @@|$)\s*/.exec(rest);
  const heading = (named === null ? rest : rest.slice(named[0].length)).replace(/^@@\s*/, "");
  return named?.[1] === undefined ? { heading } : { path: named[1], heading };
}
