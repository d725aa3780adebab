/** What a message of the kubelet or a controller says is missing. */

export interface MissingReference {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string | undefined;
  readonly key: string | undefined;
}

const kindWords: Readonly<Record<string, string>> = {
  configmap: "ConfigMap",
  configmaps: "ConfigMap",
  secret: "Secret",
  secrets: "Secret",
  serviceaccount: "ServiceAccount",
  serviceaccounts: "ServiceAccount",
  persistentvolumeclaim: "PersistentVolumeClaim",
  persistentvolumeclaims: "PersistentVolumeClaim",
};

/** The object or key that a message names as missing, or nothing. */
export function missingReference(message: string): MissingReference | undefined {
  const key =
    /couldn't find key (\S{1,253}) in (ConfigMap|Secret) (?:([\w.-]{1,63})\/)?([\w.-]{1,253})/.exec(
      message,
    );
  if (key !== null) {
    return { kind: key[2] ?? "", namespace: key[3], name: key[4] ?? "", key: key[1] };
  }
  const file = /references non-existent (config|secret) key: ([\w./-]{1,253})/.exec(message);
  if (file !== null) {
    // The message names the key and not the object; the volume that it names leads to it.
    return {
      kind: file[1] === "secret" ? "Secret" : "ConfigMap",
      name: "",
      namespace: undefined,
      key: file[2],
    };
  }
  const account = /error looking up service account ([\w.-]{1,63})\/([\w.-]{1,253}): /.exec(
    message,
  );
  if (account !== null) {
    return {
      kind: "ServiceAccount",
      namespace: account[1],
      name: account[2] ?? "",
      key: undefined,
    };
  }
  const priority = /no PriorityClass with name ([\w.-]{1,253}) was found/.exec(message);
  if (priority !== null) return cluster("PriorityClass", priority[1]);
  const runtime = /RuntimeClass(?:\.node\.k8s\.io)? "([\w.-]{1,253})" not found/i.exec(message);
  if (runtime !== null) return cluster("RuntimeClass", runtime[1]);
  const object =
    /\b(configmaps?|secrets?|serviceaccounts?|persistentvolumeclaims?) "([\w.-]{1,253})" (?:not found|is being deleted)/i.exec(
      message,
    );
  if (object === null) return undefined;
  return {
    kind: kindWords[(object[1] ?? "").toLowerCase()] ?? "",
    name: object[2] ?? "",
    namespace: undefined,
    key: undefined,
  };
}

function cluster(kind: string, name: string | undefined): MissingReference {
  return { kind, name: name ?? "", namespace: undefined, key: undefined };
}
