import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { fileURLToPath } from "node:url";
import { minifySync, type Plugin } from "vite";

const NAME = "first-paint.js";
const PLACE = "<!-- first paint -->";
const SOURCE = fileURLToPath(new URL("../src/first-paint.ts", import.meta.url));

/**
 * Builds `src/first-paint.ts` into a file of its own that the page loads before anything is painted.
 *
 * A module would come too late, and a script inside the page would need a hole in its content security policy.
 */
export function firstPaint(): Plugin {
  return {
    name: "orrery-first-paint",
    apply: "build",
    buildStart() {
      const source = stripTypeScriptTypes(readFileSync(SOURCE, "utf8"));
      const { code } = minifySync(NAME, source, { compress: true, mangle: true });
      this.emitFile({ type: "asset", name: NAME, source: code });
    },
    transformIndexHtml: {
      order: "post",
      handler(html, { bundle = {} }) {
        const built = Object.values(bundle).find(
          (file) => file.type === "asset" && file.names.includes(NAME),
        );
        if (built === undefined) throw new Error(`${NAME} is not in the bundle`);
        return html.replace(PLACE, `<script src="/${built.fileName}"></script>`);
      },
    },
  };
}
