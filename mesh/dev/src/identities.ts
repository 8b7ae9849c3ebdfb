import { X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  type Authority,
  bundleOf,
  createAuthority,
  issueLeaf,
  type Leaf,
  type LeafSubject,
} from "../../chassis/src/identity/dev-ca.ts";
import { systemClock } from "../../chassis/src/time/clock.ts";
import { type Account, giveTo } from "./account.ts";
import { replaceFile } from "./owned-file.ts";
import { makePassage } from "./places.ts";

/** Whose leaf it is, where it is kept, and which user reads it. */
export interface Holder extends LeafSubject {
  readonly folder: string;
  readonly account?: Account | undefined;
}

/**
 * Where a holder's leaf is. The bundle holds key and certificate in one file; the pair is for tools that want
 * two.
 */
export interface IdentityPaths {
  readonly identityFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  /** A copy of the authority's certificate, where the holder's user can read it. */
  readonly caFile: string;
}

const AUTHORITY_REST_MS = 30 * 86_400_000;

/**
 * The authority of a platform and the leaves it gives out. Each leaf is replaced at half its life, by files
 * that are renamed into place: first the bundle, which is always whole, then certificate and key. A program
 * that reads the two in the instant between fails its handshake once, which is why services read the bundle.
 */
export class Identities {
  readonly #authority: Authority;
  readonly #holders: readonly Holder[];
  readonly #lifetimeMs: number;
  readonly #renewAtMs = new Map<string, number>();
  readonly caFile: string;

  private constructor(authority: Authority, caFile: string, holders: readonly Holder[], lifetimeMs: number) {
    this.#authority = authority;
    this.#holders = holders;
    this.#lifetimeMs = lifetimeMs;
    this.caFile = caFile;
  }

  /**
   * Takes the authority in `folder`, or makes one if there is none or its end is near, and gives every holder
   * a leaf.
   *
   * @param options.lifetimeMs - milliseconds that a leaf lives
   */
  static async open(options: {
    readonly folder: string;
    readonly holders: readonly Holder[];
    readonly lifetimeMs: number;
  }): Promise<Identities> {
    const { folder, holders, lifetimeMs } = options;
    const authority = await authorityIn(folder);
    const identities = new Identities(authority, join(folder, "ca.pem"), holders, lifetimeMs);
    await identities.renewDue();
    return identities;
  }

  /** Where the leaf of a holder is, by its common name. */
  paths(commonName: string): IdentityPaths {
    const holder = this.#holders.find((candidate) => candidate.commonName === commonName);
    if (holder === undefined) throw new Error(`no identity ${commonName}`);
    return pathsIn(holder.folder);
  }

  /**
   * How often to call `renewDue`: often enough that no leaf gets far past its half, by a clock that may have
   * slept.
   */
  get lookEveryMs(): number {
    return Math.min(Math.max(this.#lifetimeMs / 16, 250), 30_000);
  }

  /** Replaces every leaf that is past its half. Returns the common names of those that were. */
  async renewDue(): Promise<readonly string[]> {
    const nowMs = systemClock.nowMs();
    const due = this.#holders.filter(({ commonName }) => nowMs >= (this.#renewAtMs.get(commonName) ?? 0));
    await Promise.all(due.map((holder) => this.#renew(holder, nowMs)));
    return due.map(({ commonName }) => commonName);
  }

  async #renew(holder: Holder, nowMs: number): Promise<void> {
    const leaf = await issueLeaf(this.#authority, holder, {
      clock: systemClock,
      lifetimeMs: this.#lifetimeMs,
    });
    publish(holder, leaf, this.#authority.certPem);
    this.#renewAtMs.set(holder.commonName, nowMs + this.#lifetimeMs / 2);
  }
}

async function authorityIn(folder: string): Promise<Authority> {
  const certFile = join(folder, "ca.pem");
  const keyFile = join(folder, "ca-key.pem");
  if (existsSync(certFile) && existsSync(keyFile)) {
    const found = { certPem: readFileSync(certFile, "utf8"), keyPem: readFileSync(keyFile, "utf8") };
    const restMs = new X509Certificate(found.certPem).validToDate.getTime() - systemClock.nowMs();
    if (restMs > AUTHORITY_REST_MS) return found;
  }
  const made = await createAuthority({ clock: systemClock });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  replaceFile(keyFile, made.keyPem);
  replaceFile(certFile, made.certPem, { mode: 0o644 });
  return made;
}

function publish({ folder, account }: Holder, leaf: Leaf, caPem: string): void {
  const { identityFile, certFile, keyFile, caFile } = pathsIn(folder);
  if (!existsSync(folder)) {
    makePassage(dirname(folder));
    mkdirSync(folder, { mode: 0o700 });
    giveTo(account, folder);
  }
  replaceFile(caFile, caPem, { mode: 0o644, account });
  replaceFile(identityFile, bundleOf(leaf), { account });
  replaceFile(keyFile, leaf.keyPem, { account });
  replaceFile(certFile, leaf.certPem, { mode: 0o644, account });
}

const pathsIn = (folder: string): IdentityPaths => ({
  identityFile: join(folder, "identity.pem"),
  certFile: join(folder, "cert.pem"),
  keyFile: join(folder, "key.pem"),
  caFile: join(folder, "ca.pem"),
});
