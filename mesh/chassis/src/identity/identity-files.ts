import { createPrivateKey, X509Certificate } from "node:crypto";
import { watch } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { SECURITY_EVENT } from "../telemetry/attributes.ts";
import type { Logger } from "../telemetry/logger.ts";

/** The key, certificate and authorities that this process shows and trusts right now. */
export interface Identity {
  readonly keyPem: string;
  /** The leaf, and what leads from it to the authority. */
  readonly certPem: string;
  readonly caPem: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/**
 * The identity of this process, kept current: files that change are read again within a second, so that a
 * leaf can be replaced without a restart.
 */
export interface IdentityFiles extends Disposable {
  current(): Identity;
  /** Calls the listener after each change. Returns what takes the listener off again. */
  onChange(listener: (identity: Identity) => void): () => void;
}

const POLL_MS = 1_000;
const SETTLE_MS = 20;
const KEY = /-----BEGIN (?:EC |RSA )?PRIVATE KEY-----[\s\S]+?-----END (?:EC |RSA )?PRIVATE KEY-----\n?/;
const CERTIFICATES = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----\n?/g;

/**
 * Reads an identity and goes on watching it.
 *
 * The bundle holds key and certificates in one file, so that no reader ever sees the key of one leaf beside
 * the certificate of another. A file that cannot be read or does not fit together is logged and left alone:
 * the identity that was good stays in use until its end.
 *
 * @param identityFile - PEM: one private key, the leaf first among the certificates
 * @param caFile - PEM: one authority or more; two while authorities are exchanged
 * @throws Error at the first reading, when the files are absent or do not fit together
 */
export async function loadIdentity(options: {
  identityFile: string;
  caFile: string;
  logger: Logger;
}): Promise<IdentityFiles> {
  const { identityFile, caFile, logger } = options;
  // Before the content: what is replaced between the two is read again at the next look.
  let stamp = await stampOf(identityFile, caFile);
  let current = await readIdentity(identityFile, caFile);
  const listeners = new Set<(identity: Identity) => void>();

  const refresh = async (): Promise<void> => {
    const seen = await stampOf(identityFile, caFile);
    if (seen === stamp) return;
    const next = await readIdentity(identityFile, caFile);
    stamp = seen;
    if (next.certPem === current.certPem && next.caPem === current.caPem) return;
    current = next;
    logger.info("identity rotated", {
      security_event: SECURITY_EVENT.IDENTITY_ROTATED,
      not_after: new Date(next.notAfterMs).toISOString(),
    });
    for (const listener of listeners) listener(next);
  };
  const watching = watchFiles([identityFile, caFile], refresh, (failure) =>
    logger.warn("identity not taken into use; the one before stays", { error: failure }),
  );

  return {
    current: () => current,
    onChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    [Symbol.dispose]: () => {
      watching[Symbol.dispose]();
      listeners.clear();
    },
  };
}

async function readIdentity(identityFile: string, caFile: string): Promise<Identity> {
  const [bundle, caPem] = await Promise.all([readFile(identityFile, "utf8"), readFile(caFile, "utf8")]);
  const keyPem = KEY.exec(bundle)?.[0];
  const certificates = bundle.match(CERTIFICATES);
  if (keyPem === undefined || certificates === null) {
    throw new Error(`${basename(identityFile)} has to hold one private key and its certificate, in PEM`);
  }
  if (caPem.match(CERTIFICATES) === null) throw new Error(`${basename(caFile)} holds no certificate`);
  const leaf = new X509Certificate(certificates[0] ?? "");
  if (!leaf.checkPrivateKey(createPrivateKey(keyPem))) {
    throw new Error(`${basename(identityFile)} holds a key that does not belong to its certificate`);
  }
  return {
    keyPem,
    certPem: certificates.join(""),
    caPem,
    notBeforeMs: leaf.validFromDate.getTime(),
    notAfterMs: leaf.validToDate.getTime(),
  };
}

async function stampOf(...files: readonly string[]): Promise<string> {
  const found = await Promise.all(files.map((file) => stat(file)));
  return found.map(({ mtimeMs, ino, size }) => `${mtimeMs}:${ino}:${size}`).join("|");
}

// The folders are watched, not the files: a rename puts a new file in the old one's place, and a mounted
// secret changes by a link in its folder. The poll stands behind it for file systems that tell nobody.
function watchFiles(
  files: readonly string[],
  refresh: () => Promise<void>,
  failed: (failure: unknown) => void,
): Disposable {
  let settling: NodeJS.Timeout | undefined;
  const look = (): void => void refresh().catch(failed);
  const soon = (): void => {
    clearTimeout(settling);
    settling = setTimeout(look, SETTLE_MS).unref();
  };
  const poll = setInterval(look, POLL_MS).unref();
  const watchers = [...new Set(files.map((file) => dirname(file)))].map((folder) =>
    watch(folder, { persistent: false }, soon).on("error", failed),
  );
  return {
    [Symbol.dispose]: () => {
      clearTimeout(settling);
      clearInterval(poll);
      for (const watcher of watchers) watcher.close();
    },
  };
}
