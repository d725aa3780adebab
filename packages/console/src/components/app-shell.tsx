/** What stands around every page: the way to the others, who is signed in, the theme. */

import type { Principal } from "@faultline/protocol";
import { Link, Outlet, useNavigate } from "@tanstack/react-router";

import { useSignOut } from "../api/mutations.ts";
import { Icon } from "../ui/icon.tsx";
import { paths } from "../util/paths.ts";
import { ThemeToggle } from "./theme-toggle.tsx";

const navClass =
  "relative inline-flex h-full items-center px-2.5 text-sm font-medium text-ink-2 hover:text-ink aria-[current=page]:text-ink aria-[current=page]:after:absolute aria-[current=page]:after:inset-x-2.5 aria-[current=page]:after:bottom-0 aria-[current=page]:after:h-0.5 aria-[current=page]:after:rounded-full aria-[current=page]:after:bg-accent sm:px-3 sm:aria-[current=page]:after:inset-x-3";

export function AppShell({ principal }: { principal: Principal }) {
  return (
    <div className="flex min-h-dvh flex-col bg-canvas">
      <a
        href="#main"
        className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50 focus:rounded-md focus:bg-accent focus:px-3 focus:py-1.5 focus:text-on-accent"
      >
        Skip to content
      </a>
      <header className="sticky top-0 z-30 border-b border-line bg-surface/95 backdrop-blur">
        <div className="mx-auto flex h-12 w-full max-w-[92rem] items-center gap-1 px-3 max-sm:h-auto max-sm:flex-wrap max-sm:pt-2 sm:gap-2 sm:px-6">
          <Link
            {...paths.overview()}
            activeProps={{ "aria-current": undefined }}
            aria-label="Faultline, to the overview"
            className="mr-1 inline-flex items-center gap-2 sm:mr-4"
          >
            <span className="grid size-6 place-items-center rounded-md bg-accent text-on-accent">
              <Icon name="mark" className="size-4" />
            </span>
            <span className="hidden text-base font-semibold tracking-tight sm:inline">
              Faultline
            </span>
          </Link>
          <nav
            aria-label="Main"
            className="flex h-full items-stretch max-sm:order-last max-sm:-mx-3 max-sm:h-9 max-sm:w-[calc(100%+1.5rem)] max-sm:overflow-x-auto max-sm:px-1"
          >
            <Link
              {...paths.overview()}
              activeOptions={{ exact: true, includeSearch: false }}
              className={navClass}
            >
              Overview
            </Link>
            <Link {...paths.traces()} activeOptions={{ includeSearch: false }} className={navClass}>
              Traces
            </Link>
            <Link {...paths.cases()} activeOptions={{ includeSearch: false }} className={navClass}>
              Cases
            </Link>
            <Link {...paths.ledger()} activeOptions={{ includeSearch: false }} className={navClass}>
              Ledger
            </Link>
            <Link
              {...paths.compute()}
              activeOptions={{ includeSearch: false }}
              className={navClass}
            >
              Compute
            </Link>
            <Link {...paths.check()} activeOptions={{ includeSearch: false }} className={navClass}>
              Check
            </Link>
          </nav>
          <div className="ml-auto flex items-center gap-1">
            <p
              className="mr-2 hidden text-right text-xs leading-4 text-ink-3 md:block"
              title={`Signed in with the key “${principal.keyName}”`}
            >
              <span className="font-medium text-ink-2">{principal.tenantId}</span>
              <span aria-hidden="true"> · </span>
              <span>{principal.role}</span>
            </p>
            <ThemeToggle />
            <SignOutButton />
          </div>
        </div>
      </header>
      <main id="main" tabIndex={-1} className="flex-1 focus:outline-none">
        <Outlet />
      </main>
    </div>
  );
}

function SignOutButton() {
  const navigate = useNavigate();
  const signOut = useSignOut();
  return (
    <button
      type="button"
      aria-label="Sign out"
      title="Sign out"
      className="grid size-8 place-items-center rounded-md text-ink-2 hover:bg-sunken hover:text-ink"
      onClick={() => signOut.mutate(undefined, { onSettled: () => void navigate(paths.signIn()) })}
    >
      <Icon name="exit" />
    </button>
  );
}
