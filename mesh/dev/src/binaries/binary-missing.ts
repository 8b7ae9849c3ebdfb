/** A program cannot be had here; the message ends in the exact command to type. */
export class BinaryMissing extends Error {}
