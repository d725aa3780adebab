/** A refusal of the API server's authorizer, from its words. */

export interface Denial {
  /** For example `system:serviceaccount:shop:web`. */
  readonly user: string;
  readonly verb: string;
  /** With its subresource, as `pods/log`. */
  readonly resource: string;
  /** Empty for the core group. */
  readonly group: string;
  /** Absent where the whole cluster was asked for. */
  readonly namespace: string | undefined;
  /** The object that was asked for, where one was. */
  readonly objectName: string | undefined;
  readonly message: string;
}

const pattern =
  /(?:"([^"\n]{0,253})" )?is forbidden: User \\?"([^"\\\n]{1,300})\\?" cannot ([a-z]{1,40}) resource \\?"([^"\\\n]{1,120})\\?" in API group \\?"([^"\\\n]{0,120})\\?"(?: in the namespace \\?"([^"\\\n]{1,63})\\?"| at the cluster scope)?/;
/** Of older servers: `User "jane" cannot list pods in the namespace "shop"`. */
const oldPattern =
  /is forbidden: User \\?"([^"\\\n]{1,300})\\?" cannot ([a-z]{1,40}) ([a-z/.]{1,120})(?: in the namespace \\?"([^"\\\n]{1,63})\\?"| at the cluster scope)/;

/** The denial that a text quotes, or nothing. */
export function denialIn(text: string): Denial | undefined {
  const match = pattern.exec(text);
  if (match !== null) {
    const [message, objectName, user = "", verb = "", resource = "", group = "", namespace] = match;
    return {
      user,
      verb,
      resource,
      group,
      namespace,
      objectName: objectName === "" ? undefined : objectName,
      message,
    };
  }
  const old = oldPattern.exec(text);
  if (old === null) return undefined;
  const [message, user = "", verb = "", named = "", namespace] = old;
  const [resource = "", ...groups] = named.split(".");
  return {
    user,
    verb,
    resource,
    group: groups.join("."),
    namespace,
    objectName: undefined,
    message,
  };
}

/** The service account behind a user's name. */
export function accountOf(user: string): { namespace: string; name: string } | undefined {
  const [, namespace, name] = /^system:serviceaccount:([^:]{1,63}):([^:]{1,253})$/.exec(user) ?? [];
  return namespace === undefined || name === undefined ? undefined : { namespace, name };
}
