import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { firstPaint } from "./build/first-paint.ts";
import { precompress } from "./build/precompress.ts";

// ORRERY_EDGE: the platform that `vite dev` reads from while the page is worked on.
const edge = process.env.ORRERY_EDGE ?? "http://127.0.0.1:4040";

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react(), firstPaint(), precompress()],
  build: {
    target: "es2023",
    emptyOutDir: true,
    // Everything is a file with a hash in its name: the content security policy admits no data: script or style.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    // The stories measure what the first route loads by this list.
    manifest: "manifest.json",
  },
  server: { proxy: { "/v1": edge, "/runbooks": edge, "/docs": edge, "/openapi.json": edge } },
});
