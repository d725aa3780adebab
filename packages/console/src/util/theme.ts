/** The chosen theme: the system's unless the reader says otherwise. */

import { useSyncExternalStore } from "react";

export type Theme = "system" | "light" | "dark";

// The key that `public/theme.js` reads before the first paint.
const storageKey = "faultline-theme";
const listeners = new Set<() => void>();

/** The theme that is in force, and how to set another. */
export function useTheme(): [Theme, (theme: Theme) => void] {
  return [useSyncExternalStore(subscribe, readTheme), writeTheme];
}

function readTheme(): Theme {
  const chosen = document.documentElement.dataset["theme"];
  return chosen === "light" || chosen === "dark" ? chosen : "system";
}

function writeTheme(theme: Theme): void {
  if (theme === "system") {
    delete document.documentElement.dataset["theme"];
    localStorage.removeItem(storageKey);
  } else {
    document.documentElement.dataset["theme"] = theme;
    localStorage.setItem(storageKey, theme);
  }
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
