/** Whether one name was most likely written for another by mistake. */

/** Names that are shorter differ by a letter as often as they are meant to. */
const lengthMin = 4;
const lettersWrongMax = 2;

/**
 * Names that differ by case, by separators, or by a letter or two in one place. A number or a whole word that differs
 * tells things of one series apart: `redis-1` and `redis-2`, `team-a-config` and `team-b-config`.
 */
export function isTypo(wanted: string, actual: string): boolean {
  if (plain(wanted) === plain(actual)) return true;
  const length = Math.min(wanted.length, actual.length);
  let same = 0;
  while (same < length && wanted[same] === actual[same]) same += 1;
  let end = 0;
  while (end < length - same && wanted.at(-1 - end) === actual.at(-1 - end)) end += 1;
  const wrong = Math.max(wanted.length, actual.length) - same - end;
  if (wrong > lettersWrongMax || length < lengthMin) return false;
  const isWord = [wanted, actual].every((name) => {
    const around = [name[same - 1] ?? "-", name[name.length - end] ?? "-"];
    return around.every((letter) => separator.test(letter));
  });
  const differing = [wanted, actual].map((name) => name.slice(same, name.length - end)).join("");
  return !isWord && !/\d/.test(differing);
}

const separator = /[-_.\s]/;

/** Names of one thing with and without a word that says that it is a service: `api`, `api-svc`. */
export function isSameThing(left: string, right: string): boolean {
  return isTypo(left, right) || bare(left) === bare(right);
}

function bare(name: string): string {
  return plain(name.toLowerCase().replace(/[-_.]?(?:service|svc|srv|server)$/, ""));
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
}
