import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react()],
  base: "/",
  build: {
    outDir: "../src/masklet/studio/static",
    emptyOutDir: true,
    assetsInlineLimit: 0, // the page's own policy lets nothing load from data: addresses but pictures
    modulePreload: { polyfill: false },
    target: "es2022",
    license: { fileName: "licenses.md" },
  },
  worker: { format: "es" },
  server: { proxy: { "/api": "http://127.0.0.1:8427", "/ws": { target: "ws://127.0.0.1:8427", ws: true } } },
  test: { include: ["src/**/*.test.ts"], pool: "threads", maxWorkers: 1, isolate: false },
});
