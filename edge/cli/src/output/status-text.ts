import type { Colour } from "../terminal.ts";

/** A status is told by glyph, word and colour, so that none of them is needed. */
const LOOKS: Readonly<Record<string, readonly [glyph: string, colour: Colour]>> = {
  SCHEDULED: ["◷", "gray"],
  QUEUED: ["○", "cyan"],
  RUNNING: ["●", "cyan"],
  RETRYING: ["↻", "yellow"],
  SUCCEEDED: ["✔", "green"],
  FAILED: ["✖", "red"],
  LOST: ["✖", "red"],
  CANCELLED: ["⊘", "gray"],
  EXPIRED: ["⌛", "yellow"],
  RELEASED: ["↩", "gray"],
  PENDING: ["○", "gray"],
  COMPENSATING: ["↩", "yellow"],
  COMPENSATED: ["↩", "green"],
  NEEDS_ATTENTION: ["▲", "red"],
  UNKNOWN: ["?", "yellow"],
  SKIPPED: ["·", "gray"],
  UNDOING: ["↩", "cyan"],
  UNDONE: ["↩", "green"],
  UNDO_FAILED: ["✖", "red"],
  FIRING: ["▲", "red"],
  ACKNOWLEDGED: ["●", "yellow"],
  MUTED: ["◌", "gray"],
  RESOLVED: ["✔", "green"],
};

/** A status as a person reads it. */
export function statusText(status: string, paint: (colour: Colour, text: string) => string): string {
  const [glyph, colour] = LOOKS[status] ?? ["?", "gray"];
  return paint(colour, `${glyph} ${status.toLowerCase().replaceAll("_", " ")}`);
}
