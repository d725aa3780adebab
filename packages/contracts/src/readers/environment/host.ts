/** What a host says of itself: `uname -a` and `timedatectl`. */

import type { FileContent, FormatInput } from "../format.ts";
import { environmentNameOf, Facts } from "./facts.ts";

const unameLine =
  /^(Linux|Darwin|FreeBSD|OpenBSD|NetBSD|SunOS|AIX|MINGW\S*|CYGWIN\S*) (\S{1,253}) (\d\S{0,127}) (.{1,512})$/;
const zoneLine = /^\s*Time zone:\s*(\S{1,128})/m;

/** Whether a text is one of these. */
export function recogniseHost(head: string): boolean {
  const lines = head.trim().split("\n", 3);
  if (lines.length <= 2 && unameLine.test((lines[0] ?? "").trim())) return true;
  return zoneLine.test(head) && /^\s*(?:Local time|Universal time|RTC time):/m.test(head);
}

/** Reads the system, its release, the architecture and the time zone. */
export function readHost(input: FormatInput): FileContent {
  const facts = new Facts();
  const text = input.text();
  const uname = unameLine.exec(text.trim().split("\n", 1)[0]?.trim() ?? "");
  if (uname !== null) {
    const [, system = "", host = "", release = "", rest = ""] = uname;
    facts.add("os.type", system.toLowerCase());
    facts.add("host.name", host);
    facts.add("os.kernel", release);
    const arch = /\b(x86_64|amd64|aarch64|arm64|armv7l|i[36]86|ppc64le|s390x|riscv64)\b/.exec(rest);
    if (arch?.[1] !== undefined) facts.add("host.arch", arch[1]);
  }
  const zone = zoneLine.exec(text)?.[1];
  if (zone !== undefined) facts.add("timezone", zone);
  return facts.content(environmentNameOf(input.name));
}
