/** Names of pods. */

/** The deployment, or the stateful set, that a pod is one of; other names stay as they are. */
export function serviceOfPod(name: string): string {
  return name.replace(
    /-[a-f0-9]{6,10}-[a-z0-9]{5}$|-[bcdf-hj-np-tv-z2-9]{8,10}-[a-z0-9]{5}$|-\d{1,4}$/,
    "",
  );
}
