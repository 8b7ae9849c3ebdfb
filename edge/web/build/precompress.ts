import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";
import type { Plugin } from "vite";

const WORTH_IT = /\.(js|css|html|svg)$/;
/** Smaller files gain nothing over their headers. */
const FROM_BYTES = 512;

/** Writes a `.br` beside every text file, at the highest quality: it is made once and sent often. */
export function precompress(): Plugin {
  return {
    name: "orrery-precompress",
    apply: "build",
    writeBundle({ dir = "" }, files) {
      for (const name of Object.keys(files)) {
        if (!WORTH_IT.test(name)) continue;
        const bytes = readFileSync(join(dir, name));
        if (bytes.length < FROM_BYTES) continue;
        const params = {
          [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
          [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
        };
        writeFileSync(join(dir, `${name}.br`), brotliCompressSync(bytes, { params }));
      }
    },
  };
}
