/** What the forms change, and which answers that makes stale. */

import type { CaseDetail, OpenCaseRequest, VerifyCaseRequest } from "@faultline/protocol";
import { useMutation, useQueryClient } from "@tanstack/react-query";

import { caseDeadlineMs, client } from "./client.ts";
import { caseQuery, sessionQuery } from "./queries.ts";

/** Signs in with a key; the session lives in a cookie that scripts cannot read. */
export function useSignIn() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (key: string) => client.createSession({ body: { key } }, untilAnswered()),
    onSuccess: (principal) => {
      queries.clear();
      queries.setQueryData(sessionQuery.queryKey, principal);
    },
  });
}

/** Ends the session and forgets everything that was read in it. */
export function useSignOut() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => client.deleteSession({}, untilAnswered()),
    onSuccess: () => queries.clear(),
  });
}

export function useOpenCase() {
  return useCaseMutation((body: OpenCaseRequest) => client.openCase({ body }, untilAnswered()));
}

export function useVerifyCase(id: string) {
  return useCaseMutation((body: VerifyCaseRequest) =>
    client.verifyCase({ params: { id }, body }, untilAnswered()),
  );
}

export function useAddMitigation(id: string) {
  return useCaseMutation((text: string) =>
    client.addMitigation({ params: { id }, body: { text } }, untilAnswered()),
  );
}

export function useCloseCase(id: string) {
  return useCaseMutation((reason: string) =>
    client.closeCase({ params: { id }, body: { reason } }, untilAnswered()),
  );
}

/** A change is not called back when its form goes out of sight: the server finishes it, and the deadline bounds the wait. */
export function untilAnswered(): { signal: AbortSignal; deadlineMs: number } {
  return { signal: new AbortController().signal, deadlineMs: caseDeadlineMs };
}

/** Every step of a case answers with the whole case, which replaces what was shown of it. */
function useCaseMutation<Input>(mutationFn: (input: Input) => Promise<CaseDetail>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn,
    onSuccess: async (detail) => {
      queries.setQueryData(caseQuery(String(detail.summary.number)).queryKey, detail);
      await Promise.all([
        queries.invalidateQueries({ queryKey: ["cases"] }),
        queries.invalidateQueries({ queryKey: ["overview"] }),
        queries.invalidateQueries({ queryKey: ["trace"] }),
      ]);
    },
  });
}
