/** The words of a name: of a tool, a field, a key. */

/** Names longer than this have no words worth comparing. */
const nameLengthMax = 200;

/** `getOrderStatus`, `get_order-status` and `get.order.status` are the words get, order and status. */
export function nameWords(name: string): string[] {
  if (name.length > nameLengthMax) return [];
  return name
    .replaceAll(/(\p{Ll}|\p{N})(\p{Lu})/gu, "$1 $2")
    .replaceAll(/(\p{Lu})(\p{Lu}\p{Ll})/gu, "$1 $2")
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== "");
}
