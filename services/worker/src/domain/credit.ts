/** What a worker has in hand. */
export interface Load {
  /** How many attempts may run at once. */
  readonly slots: number;
  readonly running: number;
  /** Attempts that ended and whose results the engine has not answered yet. */
  readonly unreported: number;
}

/**
 * Shares free slots among the engine's replicas, so that the credit that lies with each comes out alike.
 *
 * A slot is free when nothing runs in it and no credit stands for it. A result on its way takes no slot, so
 * that the next job arrives while it travels; but no more results than slots may pile up, or a slow engine
 * would be granted credit without end.
 *
 * @param outstanding - the credit that lies with each replica now
 * @returns how much more each is given, in the same order; zeros where nothing is free
 */
export function shareCredit(load: Load, outstanding: readonly number[]): readonly number[] {
  const lent = outstanding.reduce((sum, credit) => sum + credit, 0);
  const room = load.slots - load.running - Math.max(0, load.unreported - load.slots);
  let free = Math.max(0, room - lent);
  const level = Math.ceil((free + lent) / Math.max(1, outstanding.length));
  return outstanding.map((credit) => {
    const more = Math.min(free, Math.max(0, level - credit));
    free -= more;
    return more;
  });
}
