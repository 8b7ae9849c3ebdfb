/** How much of an error's message is kept, in bytes of UTF-8. */
export const MESSAGE_LIMIT_BYTES = 8 * 1024;

/** Cuts a message that is over 8 KiB at a whole character, and says so within those 8 KiB. */
export function boundedMessage(message: string): string {
  const bytes = new TextEncoder().encode(message);
  if (bytes.length <= MESSAGE_LIMIT_BYTES) return message;
  const note = ` … (cut: ${bytes.length} bytes in all)`;
  const room = MESSAGE_LIMIT_BYTES - new TextEncoder().encode(note).length;
  const kept = new TextDecoder().decode(bytes.subarray(0, room)).replace(/\uFFFD+$/u, "");
  return kept + note;
}
