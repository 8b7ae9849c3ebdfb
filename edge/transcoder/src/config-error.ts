/**
 * A set of HTTP rules that cannot be served as written, found when the transcoder is created.
 *
 * The message names the RPC as `<service full name>.<rpc>`; where a path template is at fault it also gives
 * the column.
 */
export class TranscoderConfigError extends Error {
  override readonly name = "TranscoderConfigError";
  /** `<service full name>.<rpc>` of the rule. */
  readonly rpc: string;
  /** Position in the path template, counted from 0; undefined when no template is at fault. */
  readonly column: number | undefined;

  constructor(rpc: string, reason: string, column?: number) {
    super(column === undefined ? `${rpc}: ${reason}` : `${rpc}: column ${column}: ${reason}`);
    this.rpc = rpc;
    this.column = column;
  }
}
