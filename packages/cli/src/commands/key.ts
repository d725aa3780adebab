/** `faultline key`: creates, lists and revokes API keys, and sets their terms. */

import { type KeySummary, type Role, rolePermissions } from "@faultline/protocol";

import { type Command, type CommandContext, UsageError } from "../command.ts";
import { connect, connectionOptions, switchOption, textOption } from "../connection.ts";
import { describeKeyTerms, keyTermsOptions, readKeyTerms } from "../key-terms.ts";
import { parseDurationMs } from "../moment.ts";
import { titledTable } from "../table.ts";

export const command: Command = {
  summary: "create, list and revoke API keys, and set their terms",
  usage: [
    "key create --name NAME --role ROLE [--expires DURATION] [TERMS]",
    "key list",
    "key set ID [TERMS]",
    "key revoke ID",
  ],
  options: {
    name: { type: "string", value: "NAME", description: "what the key is for" },
    role: {
      type: "string",
      value: "ROLE",
      description: `one of ${Object.keys(rolePermissions).join(", ")} (default: service)`,
    },
    expires: {
      type: "string",
      value: "DURATION",
      description: "how long it is valid, such as 30d (default: for good)",
    },
    ...keyTermsOptions,
    ...connectionOptions,
  },
  notes: [
    "Terms are what a key may call, how often, how urgently and within which deadlines; what is left out",
    "is as the configuration says. `key set` replaces the terms of a key as a whole, at once and on every process.",
    "",
    "Roles:",
    ...Object.entries(rolePermissions).map(
      ([role, permissions]) => `  ${role.padEnd(9)} ${permissions.join(", ")}`,
    ),
  ],
  async run(context) {
    const [action, ...rest] = context.positionals;
    switch (action) {
      case "create":
        return await createKey(context);
      case "list":
        return await listKeys(context);
      case "set":
        return await setTerms(context, rest[0]);
      case "revoke":
        return await revokeKey(context, rest[0]);
      default:
        throw new UsageError(`'${action ?? ""}' is none of create, list, set, revoke.`);
    }
  },
};

async function createKey(context: CommandContext): Promise<number> {
  const name = textOption(context, "name");
  if (name === undefined) throw new UsageError("key create needs --name.");
  const expires = textOption(context, "expires");
  const expiresMs = expires === undefined ? undefined : parseDurationMs(expires);
  if (expires !== undefined && expiresMs === undefined) {
    throw new UsageError(`--expires takes a duration such as 12h or 30d; '${expires}' is none.`);
  }
  const terms = readKeyTerms(context);
  const created = await connect(context).client.createKey(
    {
      body: {
        name,
        role: readRole(textOption(context, "role") ?? "service"),
        terms,
        ...(expiresMs === undefined
          ? {}
          : { expiresInSeconds: Math.max(1, Math.round(expiresMs / 1_000)) }),
      },
    },
    { signal: context.signal },
  );
  if (switchOption(context, "json")) context.terminal.print(JSON.stringify(created, undefined, 2));
  else {
    context.terminal.print(created.secret);
    context.terminal.note("This is the only time the key is shown; it is stored as a hash.");
  }
  return 0;
}

async function listKeys(context: CommandContext): Promise<number> {
  const list = await connect(context).client.listKeys({}, { signal: context.signal });
  if (switchOption(context, "json")) {
    context.terminal.print(JSON.stringify(list, undefined, 2));
    return 0;
  }
  const titles = ["ID", "NAME", "ROLE", "PREFIX", "STATE", "LAST USED", "TERMS"];
  const rows = list.keys.map((key) => [
    key.id,
    key.name,
    key.role,
    `${key.prefix}…`,
    stateOf(key),
    key.lastUsedAt ?? "never",
    describeKeyTerms(key.terms),
  ]);
  context.terminal.print(titledTable(context.terminal, titles, rows));
  return 0;
}

async function setTerms(context: CommandContext, id: string | undefined): Promise<number> {
  if (id === undefined)
    throw new UsageError("key set needs the ID that `faultline key list` shows.");
  const key = await connect(context).client.setKeyTerms(
    { params: { id }, body: readKeyTerms(context) },
    { signal: context.signal },
  );
  if (switchOption(context, "json")) context.terminal.print(JSON.stringify(key, undefined, 2));
  else context.terminal.print(`${key.name} (${key.prefix}…): ${describeKeyTerms(key.terms)}.`);
  return 0;
}

async function revokeKey(context: CommandContext, id: string | undefined): Promise<number> {
  if (id === undefined)
    throw new UsageError("key revoke needs the ID that `faultline key list` shows.");
  const key = await connect(context).client.revokeKey(
    { params: { id } },
    { signal: context.signal },
  );
  if (switchOption(context, "json")) context.terminal.print(JSON.stringify(key, undefined, 2));
  else context.terminal.print(`Revoked ${key.name} (${key.prefix}…).`);
  return 0;
}

function readRole(text: string): Role {
  if (!Object.hasOwn(rolePermissions, text)) {
    throw new UsageError(
      `--role takes one of ${Object.keys(rolePermissions).join(", ")}; '${text}' is none.`,
    );
  }
  // Membership was checked above.
  return text as Role;
}

function stateOf(key: KeySummary): string {
  if (key.revokedAt !== undefined) return `revoked ${key.revokedAt}`;
  return key.expiresAt === undefined ? "valid" : `valid until ${key.expiresAt}`;
}
