/** How much of something each project has at a gateway, and all of them together. */
export class Shares {
  readonly #byProject = new Map<string, number>();
  #all = 0;

  get all(): number {
    return this.#all;
  }

  of(project: string): number {
    return this.#byProject.get(project) ?? 0;
  }

  /** Adds to what a project has, until it is disposed of. */
  take(project: string, amount: number): Disposable {
    this.#change(project, amount);
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (held) this.#change(project, -amount);
        held = false;
      },
    };
  }

  #change(project: string, by: number): void {
    this.#all += by;
    const own = this.of(project) + by;
    if (own > 0) this.#byProject.set(project, own);
    else this.#byProject.delete(project);
  }
}
