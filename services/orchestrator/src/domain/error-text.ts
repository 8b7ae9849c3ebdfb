/**
 * How much of an error's message a mission keeps, in characters. Each of its events carries the errors of up to 64
 * steps, and has to fit into one message of the broker whatever they hold; the job keeps the whole.
 */
export const MESSAGE_LIMIT = 1_024;

const NOTE = " … (cut: its job has the whole)";

/** Cuts a message that is too long at a whole character, and says so within the limit. */
export function boundedMessage(message: string): string {
  if (message.length <= MESSAGE_LIMIT) return message;
  const kept = message.slice(0, MESSAGE_LIMIT - NOTE.length);
  // Half a character, where the cut went through one of two units.
  return (kept.isWellFormed() ? kept : kept.slice(0, -1)) + NOTE;
}
