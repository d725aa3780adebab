/** Builds the console into `dist`, from which the server serves it at `/`. */

import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  root: import.meta.dirname,
  base: "/",
  plugins: [react(), tailwindcss()],
  build: {
    outDir: "dist",
    emptyOutDir: true,
    // The page's policy allows no `data:` sources, so that nothing may be inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2023",
    cssTarget: ["chrome123", "firefox121", "safari17.5"],
  },
  // `npm run dev -w @faultline/console` against a platform on its default port.
  server: { proxy: { "/api": "http://127.0.0.1:4600" } },
});
