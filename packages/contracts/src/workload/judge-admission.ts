/** Judges pods that admission refuses: Pod Security, webhooks, policies. */

import { referenceTo } from "../kubernetes/objects.ts";
import type { CauseKind, Subject } from "../model/finding.ts";
import type { Judgement } from "./gather-findings.ts";
import type { PermissionContext } from "./judge-denial.ts";
import { hasMadePods, makerSubject } from "./maker.ts";

interface Refusal {
  readonly because: string;
  readonly causeKind: CauseKind;
  readonly fixes: readonly string[];
}

/** What is refused and was not made since. */
export function judgeAdmission({ events, objects }: PermissionContext): Judgement[] {
  return events.all.flatMap((event): Judgement[] => {
    if (!event.reason.startsWith("Failed") || !event.isWarning) return [];
    const refusal = refusalOf(event.message);
    if (refusal === undefined || hasMadePods(event, objects, events)) return [];
    const subject: Subject = makerSubject(event, objects);
    return [
      {
        weight: 3,
        parts: {
          verdict: "violated",
          subject,
          title: `The pods of ${subject.kind} ${subject.name} are refused: ${refusal.because}.`,
          actual: event.message,
          causeKind: refusal.causeKind,
          measures: { eventCount: event.count },
          evidence: [referenceTo(event.source, event.message)],
          fixes: refusal.fixes.map((description) => ({ description })),
          nextChecks: [
            `kubectl get events -n ${event.namespace} --field-selector reason=${event.reason}`,
          ],
        },
      },
    ];
  });
}

function refusalOf(message: string): Refusal | undefined {
  const [, level, list] =
    /violates PodSecurity "([^"]{1,60})": ([^\n]{1,3000})/.exec(message) ?? [];
  if (level !== undefined && list !== undefined) return podSecurity(level, list);
  const [, denier, reason] =
    /admission webhook "([^"]{1,253})" denied the request:? ?([^\n]{0,1000})/.exec(message) ?? [];
  if (denier !== undefined) {
    return {
      because: `the admission webhook ${denier} denies them: ${reason === undefined || reason === "" ? "it gives no reason" : reason}`,
      causeKind: "configuration",
      fixes: ["Change what the webhook names in the pod template, or its policy."],
    };
  }
  const [, policy, words] =
    /ValidatingAdmissionPolicy '([^']{1,253})'[^\n]{0,200}denied request: ([^\n]{1,800})/.exec(
      message,
    ) ?? [];
  if (policy !== undefined) {
    return {
      because: `the admission policy ${policy} denies them: ${words ?? ""}`,
      causeKind: "configuration",
      fixes: ["Change what the policy names in the pod template, or the policy."],
    };
  }
  const [, webhook, why] =
    /failed calling webhook "([^"]{1,253})":? ?([^\n]{0,1000})/.exec(message) ?? [];
  if (webhook !== undefined) {
    return {
      because: `the admission webhook ${webhook} does not answer: ${why ?? ""}`,
      causeKind: "dependency",
      fixes: [
        "Bring the webhook's service back: its pods, its endpoints, its certificate.",
        "Or set its failurePolicy to Ignore, if pods may start without it.",
      ],
    };
  }
  if (
    /unable to validate against any (?:pod )?security (?:policy|context constraint)/.test(message)
  ) {
    return {
      because: "no security policy or security context constraint admits them",
      causeKind: "configuration",
      fixes: [
        "Let the service account use a policy that admits the pod, or ask for less in its securityContext.",
      ],
    };
  }
  return undefined;
}

/** `allowPrivilegeEscalation != false (container "web" must set securityContext.allowPrivilegeEscalation=false), …`. */
function podSecurity(level: string, list: string): Refusal {
  const fields = [...list.matchAll(/([^,(][^(]{1,120}?) \(([^)]{1,400})\)/g)].map(
    ([, , must = ""]) => must.trim(),
  );
  return {
    because: `they violate the Pod Security level ${level}: ${list}`,
    causeKind: "configuration",
    fixes:
      fields.length === 0
        ? [`Make the pod template keep the level ${level}.`]
        : fields.map((must) => `${must.charAt(0).toUpperCase()}${must.slice(1)}.`),
  };
}
