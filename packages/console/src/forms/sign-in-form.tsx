/** Signs in with an API key. */

import { useState } from "react";

import { useSignIn } from "../api/mutations.ts";
import { Button } from "../ui/button.tsx";
import { ErrorState } from "../ui/error-state.tsx";
import { TextField } from "../ui/field.tsx";

export function SignInForm({ onSignedIn }: { onSignedIn: () => void }) {
  const [key, setKey] = useState("");
  const signIn = useSignIn();
  return (
    <form
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        signIn.mutate(key.trim(), { onSuccess: onSignedIn });
      }}
    >
      <TextField
        label="API key"
        hint="It starts with fl_ and stands in the terminal of the first start."
        type="password"
        name="key"
        autoComplete="current-password"
        autoFocus
        required
        maxLength={200}
        spellCheck={false}
        className="font-mono"
        value={key}
        onChange={(event) => setKey(event.target.value)}
      />
      <Button type="submit" variant="primary" busy={signIn.isPending} busyLabel="Signing in…">
        Sign in
      </Button>
      {signIn.error !== null && (
        <div className="-mx-4">
          <ErrorState error={signIn.error} />
        </div>
      )}
    </form>
  );
}
