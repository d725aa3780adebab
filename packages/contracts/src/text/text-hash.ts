/** A number that stands for a text: equal texts have equal ones, and different texts practically never do. */

const lowLanes = 0x1_0000_0000;
const highBits = 20;

/** A whole number from 1 to 2^52, spread evenly over the texts that there are. */
export function textHash(text: string): number {
  let [high, low] = [0x9e37_79b9, 0x85eb_ca6b];
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    high = Math.imul(high ^ code, 0x5bd1_e995);
    low = Math.imul(low ^ code, 0x1b87_3593);
    high = (high << 13) | (high >>> 19);
    low = (low << 17) | (low >>> 15);
  }
  return (mixed(high) >>> (32 - highBits)) * lowLanes + (mixed(low ^ high) >>> 0) + 1;
}

function mixed(hash: number): number {
  const half = Math.imul(hash ^ (hash >>> 15), 0x2c1b_3c6d);
  const whole = Math.imul(half ^ (half >>> 12), 0x297a_2d39);
  return whole ^ (whole >>> 15);
}
