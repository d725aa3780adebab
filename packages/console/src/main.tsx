/** Starts the console in the page. */

import { PlatformError } from "@faultline/protocol";
import { QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { sessionQuery } from "./api/queries.ts";
import { buildRouter } from "./router.tsx";
import "./styles.css";

/** A failure that may pass is tried this often before it is shown. */
const retryCountMax = 2;

const queries = new QueryClient({
  queryCache: new QueryCache({
    onError: (error) => {
      // A session that ended while pages were open: the route asks again and leads to the sign-in.
      if (!(error instanceof PlatformError) || error.row.status !== 401) return;
      if (queries.getQueryData(sessionQuery.queryKey) === undefined) return;
      queries.removeQueries({ queryKey: sessionQuery.queryKey });
      void router.invalidate();
    },
  }),
  defaultOptions: {
    queries: {
      retry: (count, error) =>
        error instanceof PlatformError && error.row.retryable && count < retryCountMax,
    },
  },
});
const router = buildRouter(queries);
router.subscribe("onRendered", ({ pathChanged, fromLocation }) => {
  // Whoever reads by ear or by keyboard starts anew at the content, unless a field there took the focus.
  const main = document.querySelector<HTMLElement>("#main");
  if (!pathChanged || fromLocation === undefined || main === null) return;
  if (!main.contains(document.activeElement)) main.focus({ preventScroll: true });
});

const root = document.querySelector("#root");
if (root === null) throw new Error("The page has no element with the id root.");
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
