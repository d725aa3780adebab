/** Commands whose first word says what they do. */

import { type CommandContext, UsageError } from "./command.ts";

/** What a command can do, by its first word; the words after it are given. */
export type Actions = Readonly<
  Record<string, (context: CommandContext, words: readonly string[]) => Promise<number>>
>;

/** Does what the first word says. Throws a `UsageError` with all that there are. */
export async function runAction(context: CommandContext, actions: Actions): Promise<number> {
  const [name = "", ...words] = context.positionals;
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
  if (action === undefined) {
    throw new UsageError(`'${name}' is none of ${Object.keys(actions).join(", ")}.`);
  }
  return await action(context, words);
}
