/** The kinds of Kubernetes under the names that people and kubectl give them. */

const kinds: readonly (readonly [kind: string, ...others: string[]])[] = [
  ["Pod", "po"],
  ["Node", "no"],
  ["Service", "svc"],
  ["Deployment", "deploy"],
  ["ReplicaSet", "rs"],
  ["StatefulSet", "sts"],
  ["DaemonSet", "ds"],
  ["Job"],
  ["CronJob", "cj"],
  ["ReplicationController", "rc"],
  ["Ingress", "ing"],
  ["IngressClass"],
  ["NetworkPolicy", "netpol"],
  ["Endpoints", "endpoint", "ep"],
  ["EndpointSlice"],
  ["PersistentVolumeClaim", "pvc"],
  ["PersistentVolume", "pv"],
  ["StorageClass", "sc"],
  ["VolumeAttachment"],
  ["ConfigMap", "cm"],
  ["Secret"],
  ["ServiceAccount", "sa"],
  ["Namespace", "ns"],
  ["ResourceQuota", "quota"],
  ["LimitRange", "limits"],
  ["HorizontalPodAutoscaler", "hpa"],
  ["PodDisruptionBudget", "pdb"],
  ["PriorityClass", "pc"],
  ["RuntimeClass"],
  ["Role"],
  ["RoleBinding"],
  ["ClusterRole"],
  ["ClusterRoleBinding"],
  ["Event", "ev"],
];

const byName = new Map<string, string>(
  kinds.flatMap(([kind, ...others]) => {
    const plain = kind.toLowerCase();
    const plural = /(?:s|ss)$/.test(plain) ? `${plain}es` : plain.replace(/y$/, "ie").concat("s");
    return [plain, plural, ...others].map((name): [string, string] => [name, kind]);
  }),
);

/** The kind of a name such as `pod`, `deployments` or `deployment.apps`; a name that nobody knows stays as it is. */
export function kindOf(name: string): string {
  const [plain = ""] = name.toLowerCase().split(".");
  return byName.get(plain) ?? name;
}

/** Whether a name stands for a kind that is known here. */
export function isKindName(name: string): boolean {
  return byName.has(name.toLowerCase().split(".")[0] ?? "");
}
