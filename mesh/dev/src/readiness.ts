import { readFileSync } from "node:fs";
import { request as requestPlain } from "node:http";
import { request as requestTls } from "node:https";
import type { IdentityPaths } from "./identities.ts";

const ANSWER_WITHIN_MS = 2_000;

/**
 * Asks a page whether its process is ready.
 *
 * @param identity - what to show where the page is behind TLS, and whom to trust
 * @throws Error with the status, or with what kept it from answering
 */
export async function isReady(url: string, identity?: IdentityPaths): Promise<void> {
  const status = await new Promise<number>((done, failed) => {
    const options = { timeout: ANSWER_WITHIN_MS, agent: false } as const;
    const asked = identity
      ? requestTls(url, { ...options, ...credentials(identity) })
      : requestPlain(url, options);
    asked.once("response", (response) => {
      response.resume();
      done(response.statusCode ?? 0);
    });
    asked.once("timeout", () => asked.destroy(new Error(`no answer in ${ANSWER_WITHIN_MS} ms`)));
    asked.once("error", failed);
    asked.end();
  });
  if (status !== 200) throw new Error(`${url} answers ${status}`);
}

/** Read anew each time: the leaf of the launcher's identity is replaced like any other. */
function credentials({ identityFile, caFile }: IdentityPaths) {
  const bundle = readFileSync(identityFile);
  return { key: bundle, cert: bundle, ca: readFileSync(caFile) };
}
