/** `faultline key`: creates, lists and revokes API keys. */

import { type KeySummary, type Role, rolePermissions } from "@faultline/protocol";

import { type Command, type CommandContext, UsageError } from "../command.ts";
import { connect, connectionOptions, switchOption, textOption } from "../connection.ts";
import { parseDurationMs } from "../moment.ts";
import { layoutTable } from "../table.ts";

export const command: Command = {
  summary: "create, list and revoke API keys",
  usage: ["key create --name NAME --role ROLE [--expires DURATION]", "key list", "key revoke ID"],
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
    ...connectionOptions,
  },
  notes: [
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
      case "revoke":
        return await revokeKey(context, rest[0]);
      default:
        throw new UsageError(`'${action ?? ""}' is none of create, list, revoke.`);
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
  const created = await connect(context).client.createKey(
    {
      body: {
        name,
        role: readRole(textOption(context, "role") ?? "service"),
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
  const header = ["ID", "NAME", "ROLE", "PREFIX", "STATE", "LAST USED"].map((title) =>
    context.terminal.style("dim", title),
  );
  const rows = list.keys.map((key) => [
    key.id,
    key.name,
    key.role,
    `${key.prefix}…`,
    stateOf(key),
    key.lastUsedAt ?? "never",
  ]);
  context.terminal.print(layoutTable([header, ...rows]));
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
