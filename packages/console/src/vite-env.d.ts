/** The modules that Vite understands beside TypeScript. */

/// <reference types="vite/client" />
