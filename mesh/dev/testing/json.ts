/* oxlint-disable typescript/no-explicit-any */
/** JSON that the product wrote: a story reads any part of it and asserts on what it finds. */
// biome-ignore lint/suspicious/noExplicitAny: its shape is what the stories are about to check
export type Json = any;
