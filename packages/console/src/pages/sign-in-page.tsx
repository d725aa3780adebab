/** `/sign-in`: with an API key. */

import { Link, useRouter } from "@tanstack/react-router";

import { SignInForm } from "../forms/sign-in-form.tsx";
import { CommandLine } from "../ui/command-line.tsx";
import { Icon } from "../ui/icon.tsx";
import { ThemeToggle } from "../components/theme-toggle.tsx";
import { paths } from "../util/paths.ts";

export function SignInPage({ redirect = "/" }: { redirect?: string }) {
  const router = useRouter();
  return (
    <div className="relative grid min-h-dvh place-items-center bg-canvas bg-[radial-gradient(var(--line)_1px,transparent_1px)] [background-size:24px_24px] px-4 py-10">
      <title>Sign in · Faultline</title>
      <div className="absolute top-3 right-3">
        <ThemeToggle />
      </div>
      <main className="flex w-full max-w-sm flex-col gap-6 rounded-2xl border border-line bg-surface p-6 shadow-float">
        <div>
          <span className="mb-4 grid size-10 place-items-center rounded-xl bg-accent text-on-accent">
            <Icon name="mark" className="size-6" />
          </span>
          <h1 className="text-xl font-semibold tracking-tight">Sign in to Faultline</h1>
          <p className="mt-1 text-sm text-ink-2">Find where a system broke, and prove it.</p>
        </div>
        <SignInForm onSignedIn={() => router.history.push(redirect)} />
        <details className="border-t border-line pt-4 text-sm">
          <summary className="text-ink-2 hover:text-ink">No key at hand?</summary>
          <div className="mt-3">
            <CommandLine
              label="Make one on the machine that runs Faultline"
              lines={["npx faultline key create --name console --role engineer"]}
            />
          </div>
        </details>
        <p className="text-sm text-ink-2">
          Without a key:{" "}
          <Link {...paths.check()} className="text-accent hover:underline">
            check files in this browser
          </Link>
        </p>
      </main>
    </div>
  );
}
