/** The three faces of a question to the server: being asked, failed, answered. */

import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { ErrorState } from "./error-state.tsx";
import { Skeleton } from "./skeleton.tsx";

export function QueryView<Answer>({
  query,
  loadingLabel,
  skeletonRows,
  children,
}: {
  query: Pick<UseQueryResult<Answer>, "data" | "error" | "refetch">;
  loadingLabel: string;
  skeletonRows?: number;
  children: (answer: Answer) => ReactNode;
}) {
  // An answer that was once given stays; a failure to renew it is said above it.
  const { data, error } = query;
  const failure = error !== null && (
    <ErrorState error={error} onRetry={() => void query.refetch()} />
  );
  if (data !== undefined) {
    return (
      <>
        {failure}
        {children(data)}
      </>
    );
  }
  if (failure !== false) return failure;
  return (
    <Skeleton
      label={loadingLabel}
      {...(skeletonRows === undefined ? {} : { rows: skeletonRows })}
    />
  );
}
