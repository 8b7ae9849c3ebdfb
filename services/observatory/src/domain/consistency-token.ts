/** The version of a job or a mission that a read has to hold. */
export interface WantedVersion {
  readonly id: string;
  readonly version: number;
}

const FORM = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}):([1-9][0-9]{0,9})$/;

/**
 * Reads the Orrery-Consistency-Token that a write answered with: base64url of `<id>:<version>`.
 *
 * @returns undefined for anything that is no such token
 */
export function readConsistencyToken(token: string): WantedVersion | undefined {
  const parts = FORM.exec(Buffer.from(token, "base64url").toString("latin1"));
  if (parts?.[1] === undefined || parts[2] === undefined) return undefined;
  return { id: parts[1], version: Number(parts[2]) };
}
