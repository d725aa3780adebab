/** Why an image could not be pulled, from the words of the kubelet, the runtime and the registry. */

import type { CauseKind } from "../model/finding.ts";

export interface PullCause {
  readonly causeKind: CauseKind;
  readonly because: string;
  readonly fix: string;
  readonly nextCheck?: string;
}

interface PullRule {
  readonly pattern: RegExp;
  readonly cause: (image: string, match: RegExpExecArray) => PullCause;
}

/** In the order in which they decide; what is said of a whole class of faults comes last. */
const rules: readonly PullRule[] = [
  {
    pattern: /toomanyrequests|429 Too Many Requests|pull rate limit|rate limit exceeded/i,
    cause: (image) => ({
      causeKind: "capacity",
      because: `the registry refuses ${image} because its pull rate limit is reached`,
      fix: "Pull with credentials (an image pull secret), through a mirror, or wait until the limit lifts.",
    }),
  },
  {
    pattern:
      /no match for platform in manifest|no matching manifest for (\S+)|image operating system .* cannot be used|does not match the (?:specified|detected) .*platform/i,
    cause: (image, match) => ({
      causeKind: "configuration",
      because: `the image ${image} does not exist for the platform of the node${match[1] === undefined ? "" : ` (${match[1]})`}`,
      fix: "Build the image for that platform, or select nodes of the platform that it has (kubernetes.io/arch).",
      nextCheck: `docker manifest inspect ${image} lists its platforms`,
    }),
  },
  {
    pattern:
      /lookup (\S+?)(?: on [^\s:]+:\d+)?: (?:no such host|server misbehaving|Temporary failure)/i,
    cause: (image, match) => ({
      causeKind: "configuration",
      because: `the registry's host name ${match[1] ?? ""} of ${image} cannot be resolved`,
      fix: `Correct the registry in the reference ${image}, or the DNS of the node.`,
    }),
  },
  {
    pattern:
      /x509: ([^\n"]{1,200})|tls: failed to verify certificate|certificate (?:signed by unknown authority|has expired)/i,
    cause: (image, match) => ({
      causeKind: "configuration",
      because: `the node does not accept the certificate of the registry of ${image}${match[1] === undefined ? "" : ` (${match[1].trim()})`}`,
      fix: "Give the container runtime of the nodes the registry's authority, or renew the certificate.",
    }),
  },
  {
    pattern: /server gave HTTP response to HTTPS client/i,
    cause: (image) => ({
      causeKind: "configuration",
      because: `the registry of ${image} speaks HTTP, and the container runtime wants HTTPS`,
      fix: "Serve the registry with TLS, or configure it as insecure in the container runtime.",
    }),
  },
  {
    pattern:
      /manifest (?:for \S+ )?(?:unknown|not found)|manifest_unknown|: not found(?:$|["\s:])|failed to resolve reference "[^"]*": [^\n]*not found|tag does not exist|no such manifest|Image .* not found$/i,
    cause: (image) => ({
      causeKind: "configuration",
      because: `the image ${image} does not exist in its registry: the tag or the name is wrong (not found)`,
      fix: `Correct the reference ${image} to a tag that exists, or push the image under it.`,
      nextCheck: `crane ls or the registry's page lists the tags of ${image.split(/[:@]/)[0] ?? image}`,
    }),
  },
  {
    pattern:
      /unauthorized|authentication required|no basic auth credentials|403 Forbidden|401 Unauthorized|denied: (?:requested access|permission|access)|access to the resource is denied|failed to fetch (?:anonymous|oauth) token|authorization failed|insufficient_scope|pull access denied|repository does not exist or may require|requires 'docker login'|access forbidden/i,
    cause: (image, match) => {
      const isEither =
        /repository does not exist|pull access denied|insufficient_scope|authorization failed|requested access/i.test(
          match.input,
        );
      return {
        causeKind: "configuration",
        because: isEither
          ? `the registry does not give ${image}: the repository does not exist, or it is private and the pull has no credentials for it`
          : `the registry refuses the credentials, or the lack of any, with which ${image} is pulled (unauthorized)`,
        fix: `Correct the name of the image, or name a pull secret for its registry in imagePullSecrets of the pod or its service account.`,
        nextCheck:
          "kubectl get secret -n NAMESPACE shows whether the pull secret lies in the pod's own namespace",
      };
    },
  },
  {
    pattern:
      /connection refused|i\/o timeout|no route to host|Client\.Timeout|context deadline exceeded|TLS handshake timeout|network is unreachable|dial tcp[^\n]*timeout|unexpected EOF|connection reset|50[234] (?:Bad Gateway|Service Unavailable|Gateway)/i,
    cause: (image) => ({
      causeKind: "dependency",
      because: `the registry of ${image} cannot be reached from the node`,
      fix: "Restore the way from the nodes to the registry (egress, proxy, firewall), or use a mirror.",
    }),
  },
  {
    pattern: /no space left on device/i,
    cause: (image) => ({
      causeKind: "capacity",
      because: `the node's disk is full, so ${image} cannot be stored`,
      fix: "Free the node's image disk, or enlarge it.",
    }),
  },
  {
    pattern:
      /repository name must be lowercase|invalid reference format|couldn't parse image|Failed to apply default image tag|InvalidImageName/i,
    cause: (image) => ({
      causeKind: "configuration",
      because: `the reference ${image} is malformed`,
      fix: `Correct the reference ${image}: lower-case repository, one tag of letters, digits, dots and dashes.`,
    }),
  },
  {
    pattern: /pull policy of Never|ErrImageNeverPull/i,
    cause: (image) => ({
      causeKind: "configuration",
      because: `the image ${image} is not on the node, and imagePullPolicy Never forbids to pull it`,
      fix: "Load the image onto the node, or set imagePullPolicy to IfNotPresent.",
    }),
  },
  {
    pattern: /SignatureValidationFailed|signature/i,
    cause: (image) => ({
      causeKind: "configuration",
      because: `the signature of ${image} does not satisfy the node's policy`,
      fix: "Sign the image with a key that the policy accepts, or use the signed one.",
    }),
  },
];

/** The cause that a message tells, or nothing. */
export function pullCause(image: string, message: string): PullCause | undefined {
  for (const { pattern, cause } of rules) {
    const match = pattern.exec(message);
    if (match !== null) return cause(image, match);
  }
  return undefined;
}
