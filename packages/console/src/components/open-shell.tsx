/** What stands around a page that needs no session, for who has none. */

import { Link, Outlet } from "@tanstack/react-router";

import { buttonClass } from "../ui/button.tsx";
import { Icon } from "../ui/icon.tsx";
import { paths } from "../util/paths.ts";
import { ThemeToggle } from "./theme-toggle.tsx";

export function OpenShell() {
  return (
    <div className="flex min-h-dvh flex-col bg-canvas">
      <header className="sticky top-0 z-30 border-b border-line bg-surface/95 backdrop-blur">
        <div className="mx-auto flex h-12 w-full max-w-[92rem] items-center gap-2 px-3 sm:px-6">
          <span className="inline-flex items-center gap-2">
            <span className="grid size-6 place-items-center rounded-md bg-accent text-on-accent">
              <Icon name="mark" className="size-4" />
            </span>
            <span className="text-base font-semibold tracking-tight">Faultline</span>
          </span>
          <div className="ml-auto flex items-center gap-2">
            <ThemeToggle />
            <Link {...paths.signIn()} className={buttonClass()}>
              Sign in
            </Link>
          </div>
        </div>
      </header>
      <main id="main" tabIndex={-1} className="flex-1 focus:outline-none">
        <Outlet />
      </main>
    </div>
  );
}
