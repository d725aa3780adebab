/** When and where a change began to run, as far as deploys say so. */

import type { ChangeEvent, CommitChange, DeployChange } from "../../model/changes.ts";

export interface RollOut {
  readonly timeMicros: number | undefined;
  /** Services that it is known to run in; empty where nothing says so. */
  readonly services: readonly string[];
  /** How it is known: a deploy names the commit, a later deploy of its service holds it, or only when it was made. */
  readonly known: "deployed" | "carried" | "committed" | "not-deployed";
}

/** The deploys of one system, ready to be asked for many commits. */
export class RollOuts {
  readonly #deploys: readonly DeployChange[];

  constructor(events: readonly ChangeEvent[]) {
    this.#deploys = events
      .filter(
        (event): event is DeployChange => event.kind === "deploy" && event.timeMicros !== undefined,
      )
      .sort((left, right) => (left.timeMicros ?? 0) - (right.timeMicros ?? 0));
  }

  /** Services that are deployed at all. */
  get services(): readonly string[] {
    return [
      ...new Set(this.#deploys.flatMap(({ service }) => (service === undefined ? [] : [service]))),
    ];
  }

  /** Where a commit runs since when. `owners` are the services whose files it changes; none for shared files. */
  of(commit: CommitChange, owners: readonly string[], beforeMicros: number): RollOut {
    const own = this.#deploys.filter(
      ({ commit: built }) => built !== undefined && isSame(built, commit.id),
    );
    const [first] = own;
    if (first !== undefined) {
      const services = [
        ...new Set(own.flatMap(({ service }) => (service === undefined ? [] : [service]))),
      ];
      return { timeMicros: first.timeMicros, services, known: "deployed" };
    }
    const { timeMicros } = commit;
    const relevant = this.#deploys.filter(
      ({ service }) => owners.length === 0 || (service !== undefined && owners.includes(service)),
    );
    if (relevant.length === 0) return { timeMicros, services: owners, known: "committed" };
    const carrying = relevant.filter(
      (deploy) =>
        (deploy.timeMicros ?? 0) >= (timeMicros ?? 0) && (deploy.timeMicros ?? 0) <= beforeMicros,
    );
    const [carrier] = carrying;
    if (carrier === undefined) return { timeMicros, services: owners, known: "not-deployed" };
    const services = carrying.flatMap(({ service }) => (service === undefined ? [] : [service]));
    return { timeMicros: carrier.timeMicros, services: [...new Set(services)], known: "carried" };
  }
}

/** Whether two names of a commit are one, where one may be cut short. */
function isSame(left: string, right: string): boolean {
  const size = Math.min(left.length, right.length);
  return size >= 7 && left.slice(0, size).toLowerCase() === right.slice(0, size).toLowerCase();
}

/** The services whose code lies at a path, by the names of its folders. */
export function ownersOf(path: string, services: readonly string[]): string[] {
  const folders = path.split("/").slice(0, -1).map(stem);
  const names = path.split("/").map((part) => stem(part.replace(/\.\w+$/, "")));
  const exact = services.filter((service) => folders.includes(stem(service)));
  if (exact.length > 0) return exact;
  const isInServices =
    /(?:^|\/)(?:services?|apps?|cmd|src|microservices|deploy|k8s|helm|charts)\//.test(path);
  if (!isInServices) return [];
  const near = services.filter((service) =>
    names.some(
      (part) =>
        part.length >= 4 && (stem(service).startsWith(part) || part.startsWith(stem(service))),
    ),
  );
  return near;
}

/** Whether a path lies in the folder of some service, be it one that nothing is known of. */
export function isServicePath(path: string): boolean {
  return /(?:^|\/)(?:services?|apps|microservices)\/[\w-]+\//.test(path);
}

function stem(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[-_.]/g, "")
    .replace(/(?:service|svc|server|api)$/, "");
}
