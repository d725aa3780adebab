/** Which series a recording belongs to and where in it, by the name of its file. */

import type { Recording } from "../../model/recording.ts";
import type { FormatInput } from "../format.ts";

/** Words of a name that say where in a series a recording stands. */
const places: ReadonlyMap<string, number> = new Map([
  ["before", 0],
  ["baseline", 0],
  ["base", 0],
  ["start", 0],
  ["begin", 0],
  ["initial", 0],
  ["old", 0],
  ["first", 0],
  ["early", 0],
  ["earlier", 0],
  ["prev", 0],
  ["previous", 0],
  ["middle", 1],
  ["mid", 1],
  ["during", 1],
  ["second", 1],
  ["third", 2],
  ["after", 3],
  ["current", 3],
  ["now", 3],
  ["new", 3],
  ["late", 3],
  ["later", 3],
  ["end", 4],
  ["final", 4],
  ["last", 4],
]);

const endings =
  /\.(?:gz|pb|pprof|prof|profile|out|txt|log|dump|stacks?|json|heapsnapshot|goroutines?|trace|cpuprofile|heapprofile)$/i;
/** Seconds to nanoseconds since 1970, from the year 2001 on. */
const epoch = /(?<!\d)(\d{10}|\d{13}|\d{16}|\d{19})(?!\d)/;
const date =
  /(?<!\d)(\d{4})-?(\d{2})-?(\d{2})[T_ -]?(\d{2})[:_-]?(\d{2})(?:[:_-]?(\d{2}))?(?:[.,]\d+)?Z?(?!\d)/;

/** `Heap.20261128.061419.4711.0.001`, as Node names what it writes: date, time, process, thread, and a count. */
const ofNode = /^([A-Za-z]+)\.(\d{8})\.(\d{6})\.(\d+)\.(\d+)\.(\d+)(?=\.|$)/;

/** Reads a name such as `checkout-goroutines-2.txt` or `before.pb.gz`; where it tells no place, the folder may. */
export function nameRecording(file: Pick<FormatInput, "name" | "folder">): Recording {
  const recording = readName(file.name);
  if (recording.sequence !== undefined || recording.timeMicros !== undefined) return recording;
  const folder = readName(file.folder ?? "");
  // Folders with a name and a number (`case-1`) are of different things, not of different times.
  if (!/^(?:t|round|snapshot|sample|time|step)?$/i.test(folder.series)) return recording;
  if (folder.sequence !== undefined) recording.sequence = folder.sequence;
  if (folder.timeMicros !== undefined) recording.timeMicros = folder.timeMicros;
  return recording;
}

function readName(fileName: string): Recording {
  let name = fileName;
  for (let round = 0; round < endingsMax && endings.test(name); round += 1) {
    name = name.replace(endings, "");
  }
  const taken = takenAt(name);
  name = taken.rest;
  let sequence: number | undefined;
  // The last word or number that tells a place is the place: `pod-7-before`, `api-2-t1`.
  const words = name.split(/([^\p{L}\p{N}]+|(?<=\p{L})(?=\d)|(?<=\d)(?=\p{L}))/u);
  for (let index = words.length - 1; index >= 0 && sequence === undefined; index -= 1) {
    const place = placeOf(words[index] ?? "");
    if (place === undefined) continue;
    sequence = place;
    words[index] = "";
  }
  const series = words.join("").replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, "");
  return {
    series: series.toWellFormed().slice(0, 256).toWellFormed(),
    ...(sequence === undefined ? {} : { sequence }),
    ...(taken.timeMicros === undefined ? {} : { timeMicros: taken.timeMicros }),
  };
}

const endingsMax = 5;

function placeOf(word: string): number | undefined {
  if (/^\d{1,9}$/.test(word)) return Number(word);
  return places.get(word.toLowerCase());
}

function takenAt(name: string): { readonly rest: string; readonly timeMicros?: number } {
  const node = ofNode.exec(name);
  if (node !== null) {
    const [, word = "", day = "", time = "", process = "", thread = "", count = ""] = node;
    const dated = takenAt(`${day}-${time}`);
    const rest = `${word}.process${process}.thread${thread}.${count}`;
    return { ...dated, rest };
  }
  const written = date.exec(name);
  if (written !== null) {
    const [text, year, month, day, hour, minute, second = "0"] = written;
    const millis = Date.UTC(
      Number(year),
      Number(month) - 1,
      Number(day),
      Number(hour),
      Number(minute),
      Number(second),
    );
    const isDate = Number(month) <= 12 && Number(day) <= 31 && Number(hour) <= 24;
    if (isDate && millis >= 0) return { rest: name.replace(text, ""), timeMicros: millis * 1_000 };
  }
  const count = epoch.exec(name)?.[1];
  if (count === undefined) return { rest: name };
  const micros = Number(count) * 10 ** (16 - count.length);
  return { rest: name.replace(count, ""), timeMicros: Math.floor(micros) };
}
