/** Blocks of addresses, version 4 and 6. */

interface Address {
  readonly value: bigint;
  readonly bitCount: 32 | 128;
}

/** Whether an address lies in a block such as `10.0.0.0/8`; nothing where either cannot be read. */
export function isInBlock(address: string, block: string): boolean | undefined {
  const at = block.indexOf("/");
  const base = parseAddress(at < 0 ? block : block.slice(0, at));
  const given = parseAddress(address);
  if (base === undefined || given === undefined) return undefined;
  if (base.bitCount !== given.bitCount) return false;
  const length = at < 0 ? base.bitCount : Number(block.slice(at + 1));
  if (!Number.isInteger(length) || length < 0 || length > base.bitCount) return undefined;
  const shift = BigInt(base.bitCount - length);
  return base.value >> shift === given.value >> shift;
}

/** Whether a block holds every address of its version. */
export function isEverything(block: string): boolean {
  return block === "0.0.0.0/0" || block === "::/0";
}

function parseAddress(text: string): Address | undefined {
  if (text.includes(":")) return parseVersion6(text);
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)) {
    return undefined;
  }
  const value = parts.reduce((sum, part) => sum * 256n + BigInt(part), 0n);
  return { value, bitCount: 32 };
}

function parseVersion6(text: string): Address | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head = [], tail = []] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const gap = 8 - head.length - tail.length;
  if (halves.length === 1 ? gap !== 0 : gap < 1) return undefined;
  const groups = [...head, ...Array<string>(gap).fill("0"), ...tail];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  const value = groups.reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n);
  return { value, bitCount: 128 };
}
