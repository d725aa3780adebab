/** A failure in the server's words: what happened, its code, what to do. */

import { PlatformError } from "@faultline/protocol";
import { Button } from "./button.tsx";
import { Icon } from "./icon.tsx";
import { Prose } from "./prose.tsx";

export function ErrorState({
  error,
  onRetry,
}: {
  error: Error;
  onRetry?: (() => void) | undefined;
}) {
  const answer = error instanceof PlatformError ? error : undefined;
  return (
    <div
      role="alert"
      className="m-4 flex gap-3 rounded-lg border border-bad/30 bg-bad-soft p-3 text-sm"
    >
      <Icon name="warning" className="mt-0.5 size-4 text-bad" />
      <div className="flex min-w-0 flex-1 flex-col gap-1">
        <p className="font-medium wrap-anywhere">{error.message}</p>
        {answer?.where !== undefined && (
          <p className="text-ink-2 wrap-anywhere">
            At <code className="font-mono text-xs">{answer.where}</code>
          </p>
        )}
        {answer?.hint !== undefined && (
          <p className="text-ink-2 wrap-anywhere">
            <Prose text={answer.hint} />
          </p>
        )}
        <p className="font-mono text-xs text-ink-2">
          {answer === undefined ? "console_error" : `${answer.code} · ${answer.row.status}`}
        </p>
        {onRetry !== undefined && (
          <div className="mt-1">
            <Button onClick={onRetry}>Try again</Button>
          </div>
        )}
      </div>
    </div>
  );
}
