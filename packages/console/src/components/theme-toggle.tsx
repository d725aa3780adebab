/** Switches between the system's theme, light and dark. */

import { Icon, type IconName } from "../ui/icon.tsx";
import { type Theme, useTheme } from "../util/theme.ts";

const next: Readonly<Record<Theme, Theme>> = { system: "light", light: "dark", dark: "system" };
const icons: Readonly<Record<Theme, IconName>> = { system: "system", light: "sun", dark: "moon" };

export function ThemeToggle() {
  const [theme, setTheme] = useTheme();
  const label = `Theme: ${theme}. Switch to ${next[theme]}`;
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      className="grid size-8 place-items-center rounded-md text-ink-2 hover:bg-sunken hover:text-ink"
      onClick={() => setTheme(next[theme])}
    >
      <Icon name={icons[theme]} />
    </button>
  );
}
