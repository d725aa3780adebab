/** Whether the signed-in key may do something, and in which words it is told when it may not. */

import { type Permission, roleAllows } from "@faultline/protocol";
import { useSuspenseQuery } from "@tanstack/react-query";

import { sessionQuery } from "./queries.ts";

/** The reason why the key may not, or `undefined` when it may. The route has loaded the session before. */
export function useRefusal(permission: Permission): string | undefined {
  const { data: principal } = useSuspenseQuery(sessionQuery);
  if (roleAllows(principal.role, permission)) return undefined;
  return `Your key's role, ${principal.role}, does not include ${permission}.`;
}
