/** How likely a difference explains a failure, and the check that settles it. The page of the contract has the table. */

import type { CauseKind } from "../model/finding.ts";
import { factNameOf, isSecretName, namesTheEnvironment, namesThePlace } from "./fact-name.ts";
import { stepBetween, versionOf, type VersionStep } from "./versions.ts";

/** A fact in two environments; a value is absent where its environment lacks the fact. */
export interface FactPair {
  readonly name: string;
  readonly left: string | undefined;
  readonly right: string | undefined;
}

export interface Weight {
  /** From 0 (must differ) to 10. */
  readonly weight: number;
  /** What kind of difference it is, in words. */
  readonly what: string;
  readonly cause: CauseKind;
  readonly check: "rename" | "set" | "switch" | "run-with" | "deploy" | "migrate" | "look";
}

/** The weight of two values that differ; nothing where they mean the same. */
export function weightOf(pair: FactPair): Weight | undefined {
  const { name, left, right } = pair;
  const { owner, list, key } = factNameOf(name);
  if (left !== undefined && right !== undefined && plain(left) === plain(right)) return undefined;
  if (isSecretName(key) || namesThePlace(key)) return undefined;
  if (isLocaleName(list, key)) return weightOfLocale(pair);
  const version = weightOfVersion(pair);
  if (version !== undefined) return version === "same" ? undefined : version;
  if (isFlag(owner, list, key) || areSwitches(left, right)) {
    return {
      weight: isFlag(owner, list, key) ? 8 : 7,
      what: "a switch",
      cause: "configuration",
      check: "switch",
    };
  }
  if (
    /(?:^|[._-])(?:schema|migrations?|data|shape|columns?|tables?|format)(?:[._-]|$)/i.test(key)
  ) {
    return { weight: 8, what: "the shape of data", cause: "data", check: "migrate" };
  }
  if (left !== undefined && right !== undefined) return weightOfValues({ name, left, right });
  return { weight: 5, what: "only one has it", cause: "configuration", check: "set" };
}

/** The weight of names that differ only in case. */
export const caseOfNames: Weight = {
  weight: 10,
  what: "names that differ only in case",
  cause: "configuration",
  check: "rename",
};

function isLocaleName(list: string, key: string): boolean {
  return (
    list === "locale" ||
    /^(?:LANG|LANGUAGE|LC_[A-Z]+|TZ|TIMEZONE|TIME_ZONE|locale|charset|encoding|file\.encoding|PYTHONIOENCODING|PYTHONUTF8|PYTHONCOERCECLOCALE|NLS_LANG|user\.(?:language|country|timezone)|process\.locale|JAVA_TOOL_ENCODING)$/i.test(
      key,
    ) ||
    /(?:^|[._-])(?:collation|collate|timezone|time_zone|charset|encoding|locale)$/i.test(key)
  );
}

function weightOfLocale({ left, right }: FactPair): Weight | undefined {
  const base = {
    what: "a locale, an encoding or a time zone",
    cause: "configuration",
    check: "run-with",
  } as const;
  const [one, other] = [localeOf(left ?? ""), localeOf(right ?? "")];
  if (one === other) return undefined;
  // Programs fall back to another locale where none is set; which one depends on more.
  return { ...base, weight: left === undefined || right === undefined ? 8 : 9 };
}

/** One text for locales, encodings and zones that are the same. */
function localeOf(value: string): string {
  const plain = value.trim().toLowerCase().replace(/utf-8/g, "utf8");
  return /^(?:etc\/)?(?:utc|gmt|uct|zulu|universal|z)$/.test(plain) ? "utc" : plain;
}

const runtimeName =
  /^(?:node|nodejs|python|java|jvm|jdk|go|ruby|php|dotnet|deno|bun|v8|process\.runtime\.version|postgres(?:ql)?|mysql|mariadb|redis|mongodb|kafka|elasticsearch|sqlite|openssl|glibc|os\.glibc)(?:[._-]?version)?$/i;
const sortingName = /^(?:icu|cldr|tz|unicode)$/i;

/** `same` for two spellings of one version; nothing for what is no version. */
function weightOfVersion({ name, left, right }: FactPair): Weight | "same" | undefined {
  const { list, key } = factNameOf(name);
  if (isReleaseName(key))
    return { weight: 7, what: "another release", cause: "change", check: "deploy" };
  const isPackage = list.endsWith(".package") || list === "go.module";
  const isRuntime = runtimeName.test(key);
  const isComponent = list === "runtime";
  const isNamed = /(?:^|[._-])version$/i.test(key);
  if (!isPackage && !isRuntime && !isComponent && !isNamed) return undefined;
  if (left === undefined || right === undefined) {
    return isPackage
      ? { weight: 4, what: "a library that only one has", cause: "dependency", check: "run-with" }
      : { weight: 2, what: "only one tells it", cause: "none", check: "look" };
  }
  const one = versionOf(left);
  const other = versionOf(right);
  const step = one === undefined || other === undefined ? "build" : stepBetween(one, other);
  if (step === undefined) return "same";
  const what = `the ${step} version of a ${isPackage ? "library" : "runtime"}`;
  const cause = "dependency";
  if (isComponent && sortingName.test(key)) return { weight: 6, what, cause, check: "run-with" };
  if (isPackage) return { weight: libraryWeights[step], what, cause, check: "run-with" };
  if (key.startsWith("os."))
    return { weight: 3, what: "the version of the system", cause, check: "run-with" };
  const weights = isRuntime ? runtimeWeights : componentWeights;
  return { weight: weights[step], what, cause, check: "run-with" };
}

const runtimeWeights: Readonly<Record<VersionStep, number>> = {
  major: 8,
  minor: 4,
  patch: 2,
  build: 1,
};
const libraryWeights: Readonly<Record<VersionStep, number>> = {
  major: 7,
  minor: 4,
  patch: 2,
  build: 1,
};
const componentWeights: Readonly<Record<VersionStep, number>> = {
  major: 5,
  minor: 3,
  patch: 1,
  build: 1,
};

function isReleaseName(key: string): boolean {
  return /^(?:service\.version|image\.(?:tag|name)|container\.image\.(?:tag|tags|name)|app[._-]?version|release|build|version)$/i.test(
    key,
  );
}

function isFlag(owner: string, list: string, key: string): boolean {
  return (
    list === "feature_flag" ||
    /^configmap\/.*(?:flag|feature|toggle|experiment)/i.test(owner) ||
    /(?:^|[._-])(?:features?|flags?|ff|toggles?|experiments?|enabled?|disabled?)(?:[._-]|$)/i.test(
      key,
    )
  );
}

const switchValue = /^(?:true|false|on|off|yes|no|enabled|disabled|[01])$/i;

function areSwitches(left: string | undefined, right: string | undefined): boolean {
  const isNumber = (value: string | undefined): boolean => /^\d+$/.test(value ?? "");
  if (isNumber(left) && isNumber(right)) return false;
  return switchValue.test(left ?? "") && switchValue.test(right ?? "");
}

/** Words whose case no program minds. */
const wordValue =
  /^(?:true|false|on|off|yes|no|enabled|disabled|trace|debug|info|warn|warning|error|fatal|none|null)$/i;

function weightOfValues({
  name,
  left,
  right,
}: {
  name: string;
  left: string;
  right: string;
}): Weight | undefined {
  const { key } = factNameOf(name);
  if (left.toLowerCase() === right.toLowerCase()) {
    return wordValue.test(left)
      ? undefined
      : {
          weight: 9,
          what: "values that differ only in case",
          cause: "configuration",
          check: "rename",
        };
  }
  if (namesTheEnvironment(key))
    return { weight: 3, what: "the name of the environment", cause: "configuration", check: "set" };
  if (
    /^(?:os\.type|os\.name|host\.arch|host\.wordSize|process\.runtime\.name|telemetry\.sdk\.language|GOOS|GOARCH|CGO_ENABLED)$/.test(
      key,
    )
  ) {
    return { weight: 6, what: "another platform", cause: "dependency", check: "run-with" };
  }
  if (key === "command" || key === "args")
    return { weight: 5, what: "how it is started", cause: "configuration", check: "set" };
  if (
    /(?:max|min|limit|timeout|pool|concurrency|workers|threads|size|ttl|retries|memory|cpu)/i.test(
      key,
    )
  ) {
    return { weight: 4, what: "a limit", cause: "configuration", check: "set" };
  }
  if (/(?:^|_)PATH$/.test(key))
    return { weight: 2, what: "a search path", cause: "configuration", check: "set" };
  if (/(?:log_?level|verbosity|debug)/i.test(key))
    return { weight: 1, what: "how much is logged", cause: "configuration", check: "set" };
  return { weight: 3, what: "another value", cause: "configuration", check: "set" };
}

/** One text for spellings that mean the same. */
function plain(value: string): string {
  const trimmed = value.trim();
  return architectures.get(trimmed.toLowerCase()) ?? trimmed;
}

const architectures: ReadonlyMap<string, string> = new Map([
  ["x86_64", "x86_64"],
  ["amd64", "x86_64"],
  ["x64", "x86_64"],
  ["aarch64", "arm64"],
  ["arm64", "arm64"],
]);
