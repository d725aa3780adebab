/** `faultline bundle`: versions of behaviour, the aliases that lead to them, roll-outs and kill switches. */

import {
  type KillKind,
  KillKind as KillKinds,
  PlatformError,
  rolloutSteps,
} from "@faultline/protocol";
import { stringify } from "yaml";

import {
  aliasTable,
  diffLines,
  killTable,
  revisionTable,
  stateWords,
  versionTable,
} from "../bundle/print.ts";
import { readVersion, readWeighted } from "../bundle/version-words.ts";
import { type Actions, runAction } from "../actions.ts";
import { type Command, type CommandContext, UsageError } from "../command.ts";
import { connect, connectionOptions, switchOption, textOption } from "../connection.ts";

const actions: Actions = {
  put: putBundle,
  list: listBundles,
  show: showBundle,
  diff: diffBundle,
  alias: setAlias,
  rollout: rollOut,
  rollback: rollBack,
  kill,
  revive,
};
const killKinds = KillKinds.anyOf.map((kind) => kind.const);

export const command: Command = {
  summary: "versions of behaviour, aliases, roll-outs and kill switches",
  usage: [
    "bundle put NAME FILE",
    "bundle list",
    "bundle show NAME[@VERSION]",
    "bundle diff NAME [FROM [TO]]",
    "bundle alias [NAME [BUNDLE[@VERSION][=WEIGHT]… [--sticky HEADER]]]",
    "bundle rollout ALIAS [BUNDLE[@VERSION]] [--percent N]",
    "bundle rollback ALIAS [--to REVISION]",
    "bundle kill [KIND [NAME] --reason TEXT]",
    "bundle revive KIND [NAME]",
  ],
  options: {
    sticky: {
      type: "string",
      value: "HEADER",
      description: "the request header by which callers stick to a version",
    },
    percent: {
      type: "string",
      value: "N",
      description: `share of callers of a roll-out: ${rolloutSteps.join(", ")} (default: the next)`,
    },
    to: { type: "string", value: "REVISION", description: "the revision to go back to" },
    reason: { type: "string", value: "TEXT", description: "why it is killed" },
    ...connectionOptions,
  },
  notes: [
    "put       adds a version from a file of YAML or JSON, unless its content is there already",
    "alias     without names lists the aliases; with one shows its history; with versions sets it",
    "rollout   begins with 1 % of callers, or takes the next step; a caller never goes back",
    "rollback  ends a roll-out, or restores where the alias stood before",
    `kill      stops one of ${killKinds.join(", ")}; alone it lists what is killed`,
  ],
  async run(context) {
    return await runAction(context, actions);
  },
};

async function putBundle(context: CommandContext, words: readonly string[]): Promise<number> {
  const [name, path, ...rest] = words;
  if (name === undefined || path === undefined || rest.length > 0) {
    throw new UsageError("bundle put takes a NAME and a FILE.");
  }
  // All of the language of conditions comes with it, and only this needs it.
  const { placeInSource, readBundleFile, readSource } =
    await import("../bundle/read-bundle-file.ts");
  const bundle = await readBundleFile(path);
  const { client } = connect(context);
  try {
    const reply = await client.putBundle({ body: { name, bundle } }, { signal: context.signal });
    const { summary, isNew } = reply;
    const words = isNew ? "is new" : "is there already, with the same content";
    return tell(
      context,
      reply,
      () => `${summary.name}@${summary.version} ${words}: ${summary.hash}`,
    );
  } catch (error) {
    const pointer = error instanceof PlatformError ? pointerOf(error.where) : undefined;
    if (!(error instanceof PlatformError) || pointer === undefined) throw error;
    throw new PlatformError(error.code, error.message, {
      where: `${path}, ${placeInSource(await readSource(path), pointer)}`,
      cause: error,
    });
  }
}

async function listBundles(context: CommandContext): Promise<number> {
  const { client } = connect(context);
  const { bundles } = await client.listBundles({}, { signal: context.signal });
  const { aliases } = await client.listAliases({}, { signal: context.signal });
  return tell(context, { bundles, aliases }, () => {
    const parts = [versionTable(context.terminal, bundles)];
    if (aliases.length > 0) parts.push(aliasTable(context.terminal, aliases));
    return parts.join("\n\n");
  });
}

async function showBundle(context: CommandContext, words: readonly string[]): Promise<number> {
  const [text, ...rest] = words;
  if (text === undefined || rest.length > 0) throw new UsageError("bundle show takes one NAME.");
  const { bundle: name, version } = readVersion(text);
  const found = await connect(context).client.readBundleVersion(
    { params: { name, version: version === undefined ? "newest" : String(version) } },
    { signal: context.signal },
  );
  const { summary } = found;
  return tell(
    context,
    found,
    () =>
      `# ${summary.name}@${summary.version} ${summary.hash}\n# by ${summary.actor} at ${summary.createdAt}\n${stringify(found.bundle).trimEnd()}`,
  );
}

async function diffBundle(context: CommandContext, words: readonly string[]): Promise<number> {
  const [name, from, to, ...rest] = words;
  if (name === undefined || rest.length > 0) throw new UsageError("bundle diff takes a NAME.");
  const query = {
    ...(from === undefined ? {} : { from: readCount(from, "A version") }),
    ...(to === undefined ? {} : { to: readCount(to, "A version") }),
  };
  const diff = await connect(context).client.diffBundle(
    { params: { name }, query },
    { signal: context.signal },
  );
  return tell(context, diff, () => diffLines(context.terminal, diff));
}

async function setAlias(context: CommandContext, words: readonly string[]): Promise<number> {
  const [name, ...versions] = words;
  const { client } = connect(context);
  const { signal, terminal } = context;
  if (name === undefined) {
    const list = await client.listAliases({}, { signal });
    return tell(context, list, () => aliasTable(terminal, list.aliases));
  }
  if (versions.length === 0) {
    const detail = await client.readAlias({ params: { name } }, { signal });
    return tell(context, detail, () => revisionTable(terminal, detail.revisions));
  }
  const stickyHeader = textOption(context, "sticky")?.toLowerCase();
  const alias = await client.putAlias(
    {
      body: {
        name,
        versions: versions.map((text) => readWeighted(text)),
        ...(stickyHeader === undefined ? {} : { stickyHeader }),
      },
    },
    { signal },
  );
  return tell(context, alias, () => `${name} points at ${stateWords(alias.current.state)}.`);
}

async function rollOut(context: CommandContext, words: readonly string[]): Promise<number> {
  const [name, text, ...rest] = words;
  if (name === undefined || rest.length > 0) throw new UsageError("bundle rollout takes an ALIAS.");
  const percent = textOption(context, "percent");
  const step = rolloutSteps.find((one) => String(one) === percent);
  if (percent !== undefined && step === undefined) {
    throw new UsageError(
      `--percent takes one of ${rolloutSteps.join(", ")}; '${percent}' is none.`,
    );
  }
  const alias = await connect(context).client.rolloutAlias(
    {
      params: { name },
      body: {
        ...(text === undefined ? {} : readVersion(text)),
        ...(step === undefined ? {} : { percent: step }),
      },
    },
    { signal: context.signal },
  );
  return tell(context, alias, () => `${name} points at ${stateWords(alias.current.state)}.`);
}

async function rollBack(context: CommandContext, words: readonly string[]): Promise<number> {
  const [name, ...rest] = words;
  if (name === undefined || rest.length > 0)
    throw new UsageError("bundle rollback takes an ALIAS.");
  const to = textOption(context, "to");
  const alias = await connect(context).client.rollbackAlias(
    { params: { name }, body: to === undefined ? {} : { revision: readCount(to, "--to") } },
    { signal: context.signal },
  );
  return tell(context, alias, () => `${name} points at ${stateWords(alias.current.state)} again.`);
}

async function kill(context: CommandContext, words: readonly string[]): Promise<number> {
  const { signal, terminal } = context;
  if (words.length === 0) {
    const list = await connect(context).client.listKillSwitches({}, { signal });
    return tell(context, list, () => killTable(terminal, list.killSwitches));
  }
  const subject = readSubject(words);
  const reason = textOption(context, "reason");
  if (reason === undefined) throw new UsageError("bundle kill needs --reason.");
  const killed = await connect(context).client.kill({ body: { ...subject, reason } }, { signal });
  return tell(
    context,
    killed,
    () => `Killed ${killed.kind} ${killed.name}: no gateway process admits it any more.`,
  );
}

async function revive(context: CommandContext, words: readonly string[]): Promise<number> {
  const body = readSubject(words);
  const revived = await connect(context).client.revive({ body }, { signal: context.signal });
  return tell(context, revived, () => `Revived ${revived.kind} ${revived.name}.`);
}

function readSubject(words: readonly string[]): { kind: KillKind; name?: string } {
  const [given, name, ...rest] = words;
  const kind = killKinds.find((one) => one === given);
  if (kind === undefined || rest.length > 0) {
    throw new UsageError(`Name one of ${killKinds.join(", ")}, and which one.`);
  }
  if (name === undefined && kind !== "tenant") throw new UsageError(`Which ${kind}?`);
  return { kind, ...(name === undefined ? {} : { name }) };
}

function readCount(text: string, what: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new UsageError(`${what} is a number from 1 on; '${text}' is none.`);
}

/** The place in the document that an error of the server names. */
function pointerOf(where: string | undefined): string | undefined {
  const prefix = "body /bundle";
  return where?.startsWith(prefix) === true ? where.slice(prefix.length) : undefined;
}

function tell(context: CommandContext, value: unknown, words: () => string): number {
  const isJson = switchOption(context, "json");
  context.terminal.print(isJson ? JSON.stringify(value, undefined, 2) : words());
  return 0;
}
